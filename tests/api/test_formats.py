"""Which formats of images are accepted is a setting."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from pixelmend.core.config import Settings
from pixelmend.imaging.formats import format_registry
from pixelmend.imaging.probe import input_limits
from tests.imaging import samples
from tests.inprocess import service_in_threads
from tests.pictures import encoded, photo


def test_setting_knows_every_format() -> None:
    accepted = input_limits(Settings(_env_file=None)).accepted
    assert sorted(accepted or ()) == sorted(each.name for each in format_registry().inputs)
    assert input_limits(Settings(_env_file=None, formats="png,gif")).accepted == ("png", "gif")
    for wrong in ("", "png,", "png;gif", "svg"):
        with pytest.raises(ValidationError):
            Settings(_env_file=None, formats=wrong)


def test_what_is_switched_off_is_415_and_never_read(tmp_path: Path) -> None:
    files = samples.one_of_each()
    image = encoded(photo(side_px=40))
    with service_in_threads(tmp_path, formats="jpeg,png,webp,tiff,bmp,gif") as service:
        for name in ("avif", "heic"):
            answers = [
                service.client.post("/api/upscale", files={"file": files[name]}),
                service.client.post("/api/inpaint", files={"file": image, "mask": files[name]}),
            ]
            for answer in answers:
                assert (answer.status_code, answer.json()["type"]) == (
                    415,
                    "urn:pixelmend:problem:unsupported-format",
                )
                accepted = "jpeg, png, webp, tiff, bmp, gif"
                refusal = f"the file is {name}, which is switched off here; accepted are {accepted}"
                assert refusal in answer.json()["detail"]
        for name in ("jpeg", "png"):
            data = {"scale": "1"}
            assert (
                service.client.post("/api/upscale", files={"file": files[name]}, data=data).status_code == 200
            )
        accepted = service.client.get("/api/info").json()["input_formats"]
        assert accepted == ["jpeg", "png", "webp", "tiff", "bmp", "gif"]
