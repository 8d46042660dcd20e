"""`RealESRGANer` as `realesrgan` has it, computed by our engine. docs/python.md lists what differs."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Any, Literal, Self, cast
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from pixelmend.compat import resampling
from pixelmend.compat.networks import RRDBNet, SRVGGNetCompact
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.probe import InputLimits, input_limits
from pixelmend.library.arrays import as_pixels
from pixelmend.library.errors import InvalidArgument
from pixelmend.library.model_files import named_file
from pixelmend.library.settings import library_settings
from pixelmend.library.upscaler import Upscaler
from pixelmend.models.catalog import load_catalog
from pixelmend.tasks.options import ImageOptions

ImgMode = Literal["L", "RGB", "RGBA"]
ModelPath = str | PathLike[str]

_SMALLEST_TILE, _LARGEST_TILE = 32, 2048
_MULTIPLE_OF = {1: 4, 2: 2}
"""What the sides of an image have to be multiples of, by the network's scale."""


class RealESRGANer:
    """Upscales images in OpenCV's order of channels. Several threads may call `enhance`."""

    def __init__(
        self,
        scale: int,
        model_path: ModelPath | Sequence[ModelPath],
        dni_weight: Sequence[float] | None = None,
        model: object = None,
        tile: int = 0,
        tile_pad: int = 10,
        pre_pad: int = 10,
        half: bool = False,
        device: object = None,
        gpu_id: int | None = None,
    ) -> None:
        """scale: the network's own. model_path: a .pth or .safetensors file, the id of a model, an address
        that names a model of the catalog, or two of these with two shares in `dni_weight`. model: not needed,
        because the file says what it holds. tile: the longest edge of a tile, or 0 for what is fastest; the
        result does not depend on it as the original's does, nor on `tile_pad`. pre_pad: by how many pixels an
        image is mirrored beyond its right and lower edge. half: the fastest precision that is right, instead
        of float32. device: cpu, cuda, cuda:N, mps, or a torch.device; None for the best there is. gpu_id:
        means cuda:N.

        Raises InvalidArgument, which is a ValueError, and ModelUnusable for a model that has to be
        downloaded.
        """
        self.scale = _whole("scale", scale, 1)
        self.tile_size = _whole("tile", tile, 0)
        self.tile_pad = _whole("tile_pad", tile_pad, 0)
        self.pre_pad = _whole("pre_pad", pre_pad, 0)
        self.half = half
        self.device = _device(device, gpu_id)
        _check_network(model, self.scale)
        options: dict[str, Any] = {
            "device": self.device,
            "precision": "auto" if half else "float32",
            "tile": min(max(tile, _SMALLEST_TILE), _LARGEST_TILE) if tile else None,
        }
        if isinstance(model_path, str | PathLike):
            self._upscaler = _Edges(_named(model_path), **options)
        else:
            self._upscaler = _mixed(model_path, dni_weight, options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the engine at once, and not with this object."""
        self._upscaler.close()

    def enhance(
        self, img: NDArray[Any], outscale: float | None = None, alpha_upsampler: str = "realesrgan"
    ) -> tuple[NDArray[Any], ImgMode]:
        """The upscaled image, with the dtype and the channels that it has, and its mode.

        img: (H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA, uint8 or uint16. outscale: None for the network's
        scale; else the result is resized to it. alpha_upsampler: realesrgan for the network, anything else
        for linear interpolation.

        Raises InvalidArgument, which is a ValueError; other errors are subclasses of PixelmendError.
        """
        pixels = as_pixels(img, "img", self._upscaler.limits)
        channels = pixels.shape[2]
        if channels == 2:
            raise InvalidArgument(f"img has the shape {img.shape}; grey with alpha has no mode here")
        width, height = self._final_size(img, outscale)
        output = self._by_network(pixels if channels == 1 else pixels[:, :, 2::-1])
        if channels >= 3:
            output = output[:, :, ::-1]
        if channels == 4:
            alpha = self._alpha(pixels[:, :, 3:], alpha_upsampler)
            output = cast("Pixels", np.dstack([output, alpha]))
        if (output.shape[1], output.shape[0]) != (width, height):
            output = resampling.lanczos4(output, width, height)
        modes: dict[int, ImgMode] = {1: "L", 3: "RGB", 4: "RGBA"}
        return np.ascontiguousarray(output[:, :, 0] if img.ndim == 2 else output), modes[channels]

    def _alpha(self, alpha: Pixels, upsampler: str) -> Pixels:
        if upsampler == "realesrgan":
            return self._by_network(alpha)
        return resampling.linear(alpha, alpha.shape[1] * self.scale, alpha.shape[0] * self.scale)

    def _by_network(self, pixels: Pixels) -> Pixels:
        """(H, W, C) grey or RGB, at the network's scale."""
        height, width = pixels.shape[:2]
        step = _MULTIPLE_OF.get(self.scale, 1)
        below, beside = (self.pre_pad + -(side + self.pre_pad) % step for side in (height, width))
        padded = np.pad(pixels, ((0, below), (0, beside), (0, 0)), mode="reflect")
        output = self._upscaler.enhance(padded)
        if output.shape[0] != self.scale * padded.shape[0]:
            actual = output.shape[0] // padded.shape[0]
            raise InvalidArgument(f"scale={self.scale}, but the network upscales by {actual}")
        cropped: Pixels = output[: height * self.scale, : width * self.scale]
        return cropped

    def _final_size(self, img: NDArray[Any], outscale: float | None) -> tuple[int, int]:
        factor = self.scale if outscale is None else outscale
        width, height = int(img.shape[1] * factor), int(img.shape[0] * factor)
        limit = self._upscaler.max_output_pixels
        if not 1 <= width * height <= limit:
            raise InvalidArgument(
                f"outscale={factor:g} makes {width}x{height} px of {img.shape[1]}x{img.shape[0]}; 1 to "
                f"max_output_pixels={limit} are possible"
            )
        return width, height


class _Edges(Upscaler):
    """Leaves the edges of an image to the network, as the original does."""

    @property
    def limits(self) -> InputLimits:
        return input_limits(self._settings)

    @property
    def max_output_pixels(self) -> int:
        return self._settings.max_output_pixels

    def _options(self, fields: Any) -> ImageOptions:
        options = super()._options(fields)
        assert options.upscale is not None, "the form of this task always gives it"
        return replace(options, upscale=replace(options.upscale, margin_px=0))


def _mixed(paths: Sequence[ModelPath], shares: Sequence[float] | None, options: dict[str, Any]) -> _Edges:
    from pixelmend.compat.mixing import mix  # few need it

    if len(paths) != 2 or shares is None or len(shares) != 2:
        raise InvalidArgument(f"model_path={paths!r} and dni_weight={shares!r}; two of each can be mixed")
    catalog = load_catalog(library_settings(Path()).models_dir)
    first, second = (named_file(name) or catalog.usable(str(name)).path for name in map(_named, paths))
    with tempfile.TemporaryDirectory(prefix="pixelmend-") as folder:
        mixed = Path(folder) / f"{first.stem}-mixed.safetensors"  # the engine keeps a link to it
        mix(first, second, shares, mixed)
        return _Edges(mixed, **options)


def _named(path: ModelPath) -> ModelPath:
    """A file or an id; of an address, what it names."""
    text = os.fspath(path)
    if not text.startswith(("https://", "http://")):
        return path
    return PurePosixPath(urlsplit(text).path).stem


def _check_network(model: object, scale: int) -> None:
    described = model.scale if isinstance(model, RRDBNet) else None
    described = model.upscale if isinstance(model, SRVGGNetCompact) else described
    if described not in (None, scale):
        raise InvalidArgument(f"scale={scale}, but the model was described with {described}")


def _device(device: object, gpu_id: int | None) -> str:
    if device is not None:
        return str(device)
    return "auto" if gpu_id is None else f"cuda:{gpu_id}"


def _whole(name: str, value: int, least: int) -> int:
    if not isinstance(value, int) or value < least:
        raise InvalidArgument(f"{name}={value!r} has to be a whole number of at least {least}")
    return value
