"""Named sets of options."""

import json
from pathlib import Path

import pytest

from pixelmend.core.errors import InvalidParameter
from pixelmend.models.catalog import Catalog
from pixelmend.tasks.form import DefaultModels
from pixelmend.tasks.inpaint import InpaintTask
from pixelmend.tasks.recipes import Recipes
from pixelmend.tasks.registry import task_registry
from pixelmend.tasks.upscale import UpscaleTask
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo

DEFAULTS = DefaultModels("m", "n", Catalog(()))
WRITTEN = {
    "web-2x": {"scale": 2, "format": "webp", "quality": 82},
    "wipe": {"task": "inpaint", "mask_grow": 9},
}


def recipes(**written: dict[str, object]) -> Recipes:
    return Recipes.of(written or WRITTEN, task_registry(), DEFAULTS)


def test_what_is_sent_counts_before_the_recipe() -> None:
    found = recipes().applied({"recipe": "web-2x", "quality": "50", "format": ""}, UpscaleTask())
    assert found == {"recipe": "web-2x", "scale": 2, "format": "webp", "quality": "50"}
    assert recipes().applied({"scale": "3"}, UpscaleTask()) == {"scale": "3"}


def test_a_size_that_is_sent_takes_the_place_of_the_recipes_scale() -> None:
    found = recipes().applied({"recipe": "web-2x", "width": "400"}, UpscaleTask())
    assert "scale" not in found


def test_what_is_not_there_or_for_another_task_is_named() -> None:
    with pytest.raises(InvalidParameter, match="recipe='x' is not known; there are: web-2x, wipe"):
        recipes().applied({"recipe": "x"}, UpscaleTask())
    with pytest.raises(InvalidParameter, match="recipe='web-2x' is for task=upscale, not inpaint"):
        recipes().applied({"recipe": "web-2x"}, InpaintTask())


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"scale": 99}, "recipes: bad: scale='99'"),
        ({"colour": 1}, "recipes: bad: there is no field 'colour'"),
        ({"task": "sharpen"}, "recipes: bad: task='sharpen' is not known"),
        ({"recipe": "other"}, "recipes: bad: a recipe names no other one"),
        ({"scale": 2, "width": 10}, "exclude each other"),
    ],
)
def test_a_useless_recipe_is_refused_at_the_start(written: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        recipes(bad=written)


def test_a_service_takes_them_in_requests_jobs_and_estimates(tmp_path: Path) -> None:
    with service_in_threads(tmp_path, recipes=json.dumps(WRITTEN)) as service:
        info = service.client.get("/api/info").json()
        assert info["recipes"][0] == {"name": "web-2x", "task": "upscale", "fields": WRITTEN["web-2x"]}
        image = encoded(photo(side_px=40))
        files = {"file": image}
        made = service.client.post("/api/upscale", files=files, data={"recipe": "web-2x"})
        assert (made.headers["content-type"], made.headers["x-pixelmend-size"]) == ("image/webp", "80x80")
        # A job that names a recipe need not name its task.
        job = service.client.post("/api/jobs", files=files, data={"recipe": "web-2x", "format": "jpeg"})
        ended = service.ended_job(job.json()["id"])
        assert (ended["task"], ended["result"]["media_type"]) == ("upscale", "image/jpeg")
        batch = service.client.post(
            "/api/upscale-batch", files=[("files", ("a.jpg", image))], data={"recipe": "web-2x"}
        )
        assert batch.status_code == 200
        assert b"a.webp" in batch.content
        form = {"image_width": 40, "image_height": 40, "recipe": "web-2x"}
        assert service.client.post("/api/estimate", data=form).json()["result"]["width"] == 80
        refused = service.client.post("/api/upscale", files=files, data={"recipe": "wipe"})
        assert (refused.status_code, "is for task=inpaint" in refused.json()["detail"]) == (422, True)
