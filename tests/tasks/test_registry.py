"""A third task and a further format, both of this file alone, in a service that has no line about them."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from pydantic import Field
from typer import Typer
from typer.testing import CliRunner

from pixelmend.cli.task_command import Given, task_command
from pixelmend.core.errors import InvalidParameter
from pixelmend.engine.steps.work import Work
from pixelmend.imaging.formats import format_registry
from pixelmend.tasks.form import DefaultModels, TaskForm
from pixelmend.tasks.inpaint import InpaintTask
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.registry import task_registry
from pixelmend.tasks.task import Task
from pixelmend.worker.process import Extensions
from tests.imaging.formats.test_registry import SIGN, TOY
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo
from tests.service import ServiceClient


class InvertForm(TaskForm):
    strength: float = Field(1.0, ge=0, le=1, description="1 is all of it.")

    def options(self, defaults: DefaultModels, negotiated: str) -> ImageOptions:
        return replace(super().options(defaults, negotiated), parameters={"strength": self.strength})


class InvertTask(Task):
    name = "invert"
    summary = "Turn an image into its negative"
    batch_summary = "Turn many images into their negatives"
    result = "The negative."
    cli_summary = "Turn images into their negatives"
    file_mark = "-inverted"
    form = InvertForm

    def steps(self, options: ImageOptions) -> tuple[str, ...]:
        return ("decode", "invert", "encode")


def invert(work: Work) -> None:
    strength = work.task.options.parameters["strength"]
    assert isinstance(strength, float)
    pixels = work.decoded.pixels
    work.image = replace(
        work.decoded, pixels=np.rint(pixels + strength * (255.0 - 2.0 * pixels)).astype(np.uint8)
    )


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceClient]:
    extensions = Extensions(format_registry([TOY]), {"invert": invert})
    tasks = task_registry([InvertTask()])
    with service_in_threads(tmp_path_factory.mktemp("toy"), tasks, extensions) as running:
        yield running


PICTURE = photo(side_px=40)


def toy_pixels(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    assert data.startswith(SIGN)
    return np.frombuffer(data[12:], np.uint8).reshape(PICTURE.shape)


def test_task_is_a_request_and_the_format_is_its_output(own: ServiceClient) -> None:
    answer = own.client.post("/api/invert", files={"file": encoded(PICTURE)}, data={"format": "toy"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/x-toy"
    assert 'filename="upload-invert.toy"' in answer.headers["content-disposition"]
    assert np.array_equal(toy_pixels(answer.content), 255 - PICTURE)


def test_format_is_an_input_and_is_negotiated(own: ServiceClient) -> None:
    negative = own.client.post(
        "/api/invert", files={"file": encoded(PICTURE)}, headers={"Accept": "image/x-toy"}
    ).content
    again = own.client.post("/api/invert", files={"file": negative}, data={"format": "toy"})
    assert np.array_equal(toy_pixels(again.content), PICTURE)
    upscaled = own.client.post("/api/upscale", files={"file": negative})
    assert (upscaled.status_code, upscaled.headers["x-pixelmend-size"]) == (200, "160x160")


def test_fields_are_checked_by_its_form(own: ServiceClient) -> None:
    wrong = own.client.post("/api/invert", files={"file": encoded(PICTURE)}, data={"strength": "2"})
    assert wrong.status_code == 422
    assert "strength='2': Input should be less than or equal to 1" in wrong.json()["detail"]
    other = own.client.post("/api/invert", files={"file": encoded(PICTURE)}, data={"scale": "2"})
    assert (
        "there is no field 'scale'; there are: format, quality, first_frame, recipe, strength"
        in other.json()["detail"]
    )


def test_task_is_a_job_and_a_batch(own: ServiceClient) -> None:
    job = own.client.post(
        "/api/jobs",
        files={"file": encoded(PICTURE)},
        data={"task": "invert", "format": "toy", "strength": "0.5"},
    ).json()
    ended = own.ended_job(job["id"])
    assert (ended["task"], ended["state"]) == ("invert", "done"), ended
    half = toy_pixels(own.client.get(ended["result"]["url"]).content)
    assert set(np.unique(half)) <= {127, 128}

    files = [("files", ("a.png", encoded(PICTURE))), ("files", ("b.png", encoded(255 - PICTURE)))]
    answer = own.client.post("/api/invert-batch", files=files, data={"format": "toy"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == ["a.toy", "b.toy", "manifest.json"]
        assert np.array_equal(toy_pixels(archive.read("a.toy")), 255 - PICTURE)
        assert np.array_equal(toy_pixels(archive.read("b.toy")), PICTURE)
    as_job = own.client.post("/api/jobs", files=files, data={"task": "invert-batch"}).json()
    assert own.ended_job(as_job["id"])["progress"]["done_items"] == 2


def test_info_and_the_documents_name_both(own: ServiceClient) -> None:
    info = own.client.get("/api/info").json()
    assert [task["name"] for task in info["tasks"]] == ["upscale", "inpaint", "upscale-video", "invert"]
    assert info["tasks"][3]["fields"] == ["format", "quality", "first_frame", "recipe", "strength"]
    assert info["job_kinds"][-1] == "invert-batch"
    assert info["output_formats"][-1] == info["input_formats"][-1] == "toy"
    paths = own.client.get("/openapi.json").json()["paths"]
    form = paths["/api/invert"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["strength"]["maximum"] == 1
    assert "toy" in form["properties"]["format"]["anyOf"][0]["enum"]
    jobs = paths["/api/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert jobs["properties"]["task"]["enum"] == info["job_kinds"]
    assert "strength" in jobs["properties"]
    assert "/api/invert-batch" in paths


def test_command_line_has_its_fields_as_options() -> None:
    seen: list[Given] = []
    app = Typer()
    app.command("invert")(task_command(InvertTask(), lambda _task, given: seen.append(given)))
    app.command("inpaint")(task_command(InpaintTask(), lambda _task, given: seen.append(given)))
    run = CliRunner().invoke
    assert run(app, ["invert", "a.png", "b.png", "--strength", "0.25", "-o", "out"]).exit_code == 0
    assert seen[0].fields == {
        "format": None,
        "quality": None,
        "first_frame": False,
        "recipe": None,
        "strength": 0.25,
    }
    assert [str(path) for path in seen[0].inputs] == ["a.png", "b.png"]
    refused = run(app, ["invert", "a.png", "--strength", "2"])
    assert refused.exit_code == 2
    assert run(app, ["inpaint", "a.png", "m.png", "--grow", "9", "--then-upscale"]).exit_code == 0
    assert (seen[1].fields["mask_grow"], seen[1].fields["then"], str(seen[1].mask)) == (9, "upscale", "m.png")


def test_two_tasks_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two tasks have one name"):
        task_registry([InpaintTask()])
    with pytest.raises(
        InvalidParameter, match="task='sharpen' is not known; there are: upscale, inpaint, upscale-v"
    ):
        task_registry().kind("sharpen")
