"""How results are called, and how that is said to clients."""

from dataclasses import replace

import pytest

from pixelmend.api.results import content_disposition, result_name
from pixelmend.imaging.formats import JPEG, PNG, format_registry
from pixelmend.imaging.target import Target
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.inpaint import InpaintTask
from pixelmend.tasks.options import ImageOptions, InpaintOptions, UpscaleOptions
from pixelmend.tasks.upscale import UpscaleTask

UPSCALED = ImageReport(
    "m", "", "cpu", "c", "float32", 400, 200, 1, "1x1", 0, 0, 0, 0, (), (), source_px=100 * 50
)
SAME_SIZE = replace(UPSCALED, width_px=100, height_px=50)
INPAINT = InpaintOptions.of("pixelmend-fill", 4)

OPTIONS = ImageOptions(UpscaleOptions("m"))


@pytest.mark.parametrize(
    ("options", "report", "name"),
    [
        (ImageOptions(UpscaleOptions("m")), UPSCALED, "photo-x4.png"),
        (ImageOptions(UpscaleOptions("m", Target(2.5))), UPSCALED, "photo-x2.5.png"),
        (ImageOptions(UpscaleOptions("m", Target(width_px=400))), UPSCALED, "photo-400x200.png"),
        (ImageOptions(UpscaleOptions("m")), replace(UPSCALED, source_px=0), "photo-400x200.png"),
        (ImageOptions(UpscaleOptions("m"), format=JPEG.name), UPSCALED, "photo-x4.jpg"),
        (ImageOptions(inpaint=INPAINT), SAME_SIZE, "photo-inpainted.png"),
        (ImageOptions(UpscaleOptions("m"), INPAINT), UPSCALED, "photo-inpainted-x4.png"),
    ],
)
def test_name_says_what_was_done(options: ImageOptions, report: ImageReport, name: str) -> None:
    task = InpaintTask() if options.inpaint else UpscaleTask()
    output = format_registry().output(options.format)
    assert result_name("holiday/photo.jpg", task, options, output, report) == name


def test_name_of_a_stranger_is_made_safe() -> None:
    name = result_name(
        "../..\\x\0\u202e/\ud800\r\nSet-Cookie: a.png",
        UpscaleTask(),
        OPTIONS,
        PNG,
        UPSCALED,
    )
    assert name == "___Set-Cookie_ a-x4.png"
    assert len(result_name("n" * 9000, UpscaleTask(), OPTIONS, PNG, UPSCALED).encode()) < 255
    assert result_name(None, UpscaleTask(), OPTIONS, PNG, UPSCALED) == "image-x4.png"


def test_clients_that_know_one_form_only_get_a_name() -> None:
    assert content_disposition("photo-x4.png") == 'attachment; filename="photo-x4.png"'
    assert content_disposition("M\u00fcnchen \u5c71-x4.png") == (
        "attachment; filename=\"Munchen _-x4.png\"; filename*=UTF-8''M%C3%BCnchen%20%E5%B1%B1-x4.png"
    )
    assert content_disposition('100%".png').startswith('attachment; filename="100__.png"; filename*=')
