"""`Upscaler`."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from pixelmend.library.calls import OnProgress
from pixelmend.library.processor import ArrayProcessor
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.upscale import UpscaleTask


class Upscaler(ArrayProcessor):
    """Upscales arrays. It is a context manager, and several threads may call it.

    The engine runs in a process of its own, which ends with this object, unless `in_process`.
    """

    def __init__(
        self,
        model: str | PathLike[str] | None = None,
        *,
        device: str | None = None,
        precision: str | None = None,
        tile: int | None = None,
        threads: int | None = None,
        models_dir: str | PathLike[str] | None = None,
        in_process: bool = False,
        hooks: Sequence[object] = (),
    ) -> None:
        """model: an id of `pixelmend models list`, the stem of a file in `models_dir`, or the path of a file
        that ends with .safetensors, .pth or .pt; None for the default, which depends on whether scale is
        above 2. device: auto, cpu, mps, cuda, cuda:N, vulkan, vulkan:N, openvino:gpu or openvino:gpu.N.
        precision: auto, float32, float16 or bfloat16. tile: the longest edge of a tile in input px, 32 to
        2048; None for what is fastest. threads: of the CPU. in_process: compute in this process; an engine
        that dies takes it along. hooks: objects, or names as module:attribute (docs/python.md).

        What is not given is as the user's settings (PIXELMEND_...) say. Raises InvalidArgument, which is a
        ValueError, UnknownModel, and ModelUnusable for a model without a file.
        """
        self._tile = tile
        super().__init__(
            UpscaleTask(),
            model,
            default_of="default_model",
            in_process=in_process,
            hooks=hooks,
            device=device,
            precision=precision,
            tile_px=tile,
            threads=threads,
            models_dir=models_dir,
        )

    def enhance(
        self,
        image: NDArray[Any],
        scale: float | None = None,
        *,
        width: int | None = None,
        height: int | None = None,
        denoise: float | None = None,
        detail: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> NDArray[Any]:
        """The image, upscaled, with the dtype, the channels and the number of dimensions that it has.

        image: (H, W) or (H, W, C), uint8 or uint16 over its full range; C is 1 grey, 2 grey and alpha, 3 RGB,
        4 RGBA; alpha is straight. scale: 1 to 8; or width and/or height in px; with none of them the model's
        own. denoise, detail: 0 to 1, for models that have them. on_progress: called in this thread with 0.0
        to 1.0; what it raises cancels the call.

        Raises InvalidArgument, which is a ValueError; other errors are subclasses of PixelmendError.
        """
        return self.enhance_with_report(
            image, scale, width=width, height=height, denoise=denoise, detail=detail, on_progress=on_progress
        )[0]

    def enhance_with_report(
        self,
        image: NDArray[Any],
        scale: float | None = None,
        *,
        width: int | None = None,
        height: int | None = None,
        denoise: float | None = None,
        detail: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> tuple[NDArray[Any], ImageReport]:
        """As `enhance`, and how the result came about: model, sha256, device, precision, tiles, notes."""
        fields = {
            "tile": self._tile,
            "scale": scale,
            "width": width,
            "height": height,
            "denoise": denoise,
            "detail": detail,
        }
        return self._process(image, None, fields, on_progress)
