"""A Hugging Face Space: Pixelmend's own pipeline behind a Gradio page, on ZeroGPU or on any other machine.

On ZeroGPU the function under `@spaces.GPU` runs in a process that has a GPU while the call lasts; the
page's process never has one. So files go in, files come out, and models stay open where it is computed.
"""

import functools
import tempfile
import uuid
from pathlib import Path
from typing import Any

import computing
import gradio as gr
import numpy as np
import spaces
from filling import Filler
from PIL import Image

from pixelmend.cli.outcomes import Made
from pixelmend.cli.request import Request
from pixelmend.core.config import Settings
from pixelmend.core.errors import PixelmendError
from pixelmend.imaging.formats import format_registry
from pixelmend.imaging.target import Target
from pixelmend.jobs.admission import Admission
from pixelmend.models.catalog import load_catalog
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.inpaint import InpaintTask
from pixelmend.tasks.options import FILL, ImageOptions, UpscaleOptions
from pixelmend.tasks.upscale import UpscaleTask

FORMATS = [output.name for output in format_registry().outputs]
PREVIEW_PX = 1600
"""The longest side of the image to paint on; the mask is scaled up to the image again."""
MAX_GPU_SECONDS = computing.MAX_GPU_SECONDS


@spaces.GPU(duration=computing.gpu_seconds)
def compute(task: ImageTask) -> ImageReport | computing.Failure:
    """The only function that sees a GPU. Its result is a file; what it returns is plain text and numbers.

    Raises gr.Error after a bug: ZeroGPU then takes another process for the next call.
    """
    outcome = computing.run(task)
    if isinstance(outcome, computing.Failure) and outcome.is_bug:
        raise gr.Error(str(outcome))
    return outcome


@functools.cache
def filler() -> Filler:
    return Filler()


def upscale(file: str | None, model: str, scale: float, output: str) -> tuple[str, str]:
    """Called by the page. Returns the path of the result, and text about it.

    What can be checked without a GPU is checked first. Raises gr.Error in the error's own words.
    """
    source, result = files_of(file, output)
    options = ImageOptions(UpscaleOptions(model, Target(scale)), format=output)
    settings = Settings()
    try:
        admission = Admission.of(UpscaleTask(), options, settings, load_catalog(settings.models_dir))
        admission.size_of(source)
        task = ImageTask(uuid.uuid4().hex, source, result, options, admission.steps)
        needed_s = computing.gpu_seconds(task)
    except PixelmendError as error:
        raise gr.Error(f"{error.title}: {error.message}") from error
    if needed_s > MAX_GPU_SECONDS:
        raise gr.Error(
            f"This would take about {needed_s} s of a GPU, and at most {MAX_GPU_SECONDS} s are asked for: "
            "choose a smaller image or a smaller model."
        )
    outcome = compute(task)
    if isinstance(outcome, computing.Failure):
        raise gr.Error(str(outcome))
    return str(result), said_of(
        outcome, f"by {outcome.model} in {outcome.precision} on {outcome.device_name}"
    )


def inpaint(file: str | None, painted: dict[str, Any] | None, grow_px: float, output: str) -> tuple[str, str]:
    """The same for what was painted over. It takes no GPU."""
    source, result = files_of(file, output)
    if painted is None or not painted["layers"]:
        raise gr.Error("Paint over what is to go.")
    covered = np.max([np.asarray(layer)[:, :, 3] for layer in painted["layers"]], axis=0)
    mask = result.with_name("mask.png")
    Image.fromarray(np.where(covered > 0, 255, 0).astype(np.uint8)).save(mask)
    try:
        fields = {"model": FILL, "mask_grow": int(grow_px)}
        request = Request.here(InpaintTask(), fields, format_registry().output(output), Settings())
        outcome = filler().run(source, mask, result, request)
    except PixelmendError as error:
        raise gr.Error(f"{error.title}: {error.message}") from error
    if outcome.error is not None or outcome.report is None:
        raise gr.Error(str(computing.Failure.of(outcome.error or PixelmendError("no result"))))
    return str(result), said_of(outcome.report, f"by {FILL}")


def files_of(file: str | None, output: str) -> tuple[Path, Path]:
    """The image, and where its result goes."""
    if file is None:
        raise gr.Error("Choose an image.")
    suffix = format_registry().output(output).suffix
    return Path(file), Path(tempfile.mkdtemp()) / f"{Path(file).stem}-pixelmend{suffix}"


def said_of(report: Made, how: str) -> str:
    notes = [*report.notes, *(f"not kept: {what}" for what in report.not_kept)]
    return "\n".join([f"{report.width_px}x{report.height_px} px {how}", *notes])


def canvas(file: str | None) -> Image.Image | None:
    """What to paint on: the image, upright, not larger than a page needs."""
    if file is None:
        return None
    from PIL import ImageOps

    with Image.open(file) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    upright.thumbnail((PREVIEW_PX, PREVIEW_PX))
    return upright


def upscalers() -> list[str]:
    catalog = load_catalog(Settings().models_dir)
    return [entry.id for entry in catalog.entries if entry.present and entry.task == "upscale"]


def page() -> gr.Blocks:
    with gr.Blocks(title="Pixelmend") as blocks:
        gr.Markdown("# Pixelmend\nEnlarge images and remove things from them.")
        with gr.Tab("Enlarge"):
            source = gr.File(label="Image", file_types=["image"])
            model = gr.Dropdown(upscalers(), value=Settings().default_model, label="Model")
            scale = gr.Slider(1, 8, value=4, step=0.5, label="Factor")
            output = gr.Dropdown(FORMATS, value="png", label="Format")
            go = gr.Button("Enlarge", variant="primary")
            result, said = gr.File(label="Result"), gr.Textbox(label="How", lines=2)
            go.click(upscale, [source, model, scale, output], [result, said], api_name="upscale")
        with gr.Tab("Erase"):
            photo = gr.File(label="Image", file_types=["image"])
            editor = gr.ImageEditor(label="Paint over what is to go", type="pil", image_mode="RGBA")
            grow = gr.Slider(0, 64, value=4, step=1, label="Grow by, px")
            inpainted_format = gr.Dropdown(FORMATS, value="png", label="Format")
            remove = gr.Button("Erase", variant="primary")
            inpainted, how = gr.File(label="Result"), gr.Textbox(label="How", lines=2)
            photo.change(canvas, photo, editor, api_name=False)
            remove.click(inpaint, [photo, editor, grow, inpainted_format], [inpainted, how], api_name="erase")
    return blocks


if __name__ == "__main__":
    page().queue(max_size=20).launch()
