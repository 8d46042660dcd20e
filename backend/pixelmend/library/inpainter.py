"""`Inpainter`."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from numpy.typing import NDArray

from pixelmend.library.calls import OnProgress
from pixelmend.library.processor import ArrayProcessor
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.inpaint import InpaintTask
from pixelmend.tasks.options import DEFAULT_GROW_PX


class Inpainter(ArrayProcessor):
    """Removes from arrays what is under a mask. As `Upscaler` in all else."""

    def __init__(
        self,
        model: str | PathLike[str] | None = None,
        *,
        device: str | None = None,
        precision: str | None = None,
        threads: int | None = None,
        models_dir: str | PathLike[str] | None = None,
        in_process: bool = False,
        hooks: Sequence[object] = (),
    ) -> None:
        """model: an id of `pixelmend models list` that is for inpainting; None for the default, which needs
        no network. The rest as in `Upscaler`.
        """
        super().__init__(
            InpaintTask(),
            model,
            default_of="default_inpaint_model",
            in_process=in_process,
            hooks=hooks,
            device=device,
            precision=precision,
            threads=threads,
            models_dir=models_dir,
        )

    def inpaint(
        self,
        image: NDArray[Any],
        mask: NDArray[Any],
        *,
        grow: int = DEFAULT_GROW_PX,
        feather: int | None = None,
        polarity: str = "auto",
        on_progress: OnProgress | None = None,
    ) -> NDArray[Any]:
        """The image without what is under the mask; pixels farther than `grow` from it stay as they are.

        image: as in `Upscaler.enhance`. mask: of the image's height and width, of Booleans, of which True is
        removed, or as an image. grow: how far beyond the mask is filled as well, 0 to 256 px. feather: the
        outermost part of that, which fades into the image. polarity: what of a mask that is an image is
        removed: white, transparent or opaque; auto looks at the mask.

        Raises as `Upscaler.enhance`.
        """
        return self.inpaint_with_report(
            image, mask, grow=grow, feather=feather, polarity=polarity, on_progress=on_progress
        )[0]

    def inpaint_with_report(
        self,
        image: NDArray[Any],
        mask: NDArray[Any],
        *,
        grow: int = DEFAULT_GROW_PX,
        feather: int | None = None,
        polarity: str = "auto",
        on_progress: OnProgress | None = None,
    ) -> tuple[NDArray[Any], ImageReport]:
        """As `inpaint`, and how the result came about."""
        fields = {
            "mask_grow": grow,
            "mask_feather": feather,
            "mask_polarity": polarity,
        }
        return self._process(image, mask, fields, on_progress)
