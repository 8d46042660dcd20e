"""What lies under a mask, removed from decoded images of every kind."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from pixelmend.core.errors import Cancelled, ImageTooLarge, InvalidParameter, UnsupportedFormat
from pixelmend.core.telemetry import Logger
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.inpainting.inpainter import NOTHING, Inpainter, InpaintResult, read_hole
from pixelmend.engine.inpainting.slots import ComputeSlots
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.eviction import MemoryLimits
from pixelmend.engine.model_cache.memory_profile import MemoryProfiles
from pixelmend.engine.model_cache.provider import CatalogProvider
from pixelmend.imaging.codec import Decoded
from pixelmend.imaging.mask import Hole
from pixelmend.imaging.mask_rules import MaskPolarity
from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.probe import InputLimits
from pixelmend.models.catalog import Catalog, ModelEntry
from pixelmend.models.integrity import sha256_of
from pixelmend.tasks.options import FILL, InpaintOptions
from tests.engine.inpainters import ONNX_FILL, save_onnx
from tests.engine.networks import photo
from tests.pictures import encoded

Pixels = NDArray[Any]
LIMITS = InputLimits(1_000_000, 4000)


def inpainter(models: Catalog | None = None, slots: ComputeSlots | None = None) -> Inpainter:
    device = cpu_device()
    provider = CatalogProvider(
        lambda: models or Catalog(()), device, None, MemoryProfiles(None, Logger()), threads=1
    )
    cache = ModelCache(provider, device, HostMemory(), MemoryLimits())
    return Inpainter(cache, lambda work: work(), slots)


def inpainted(
    pixels: Pixels,
    mask: Pixels | bytes,
    folder: Path,
    *,
    grow_px: int = 4,
    feather_px: int = 2,
    model: str = FILL,
    models: Catalog | None = None,
) -> InpaintResult:
    path = folder / "mask"
    path.write_bytes(mask if isinstance(mask, bytes) else encoded(mask))
    decoded = Decoded(pixels, Metadata())
    return inpainter(models).inpaint(
        decoded,
        read_hole(path, decoded.size, MaskPolarity.AUTO, LIMITS),
        InpaintOptions(model, grow_px, feather_px),
        cancelled=lambda: False,
        on_progress=lambda done, total: None,
    )


def box_mask(shape: tuple[int, ...], *boxes: tuple[slice, slice]) -> NDArray[np.uint8]:
    mask = np.zeros(shape[:2], np.uint8)
    for box in boxes:
        mask[box] = 255
    return mask


@pytest.fixture(scope="module")
def onnx_models(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    path = tmp_path_factory.mktemp("onnx") / "m.onnx"
    save_onnx(path)
    return Catalog((ModelEntry("m", "m", "inpaint", path, "catalog", sha256=sha256_of(path)),))


@pytest.mark.parametrize("grow_px", [0, 1, 9])
def test_pixels_outside_the_grown_mask_are_untouched_and_the_filling_fades_within_it(
    tmp_path: Path, onnx_models: Catalog, grow_px: int
) -> None:
    image = photo("astronaut", 150, 160, top=0, left=0).astype(np.int16).clip(ONNX_FILL + 10, 255)
    pixels = image.astype(np.uint8)
    mask = box_mask(pixels.shape, np.s_[40:60, 30:50], np.s_[58:90, 56:60], np.s_[100:101, 100:102])
    feather_px = min(grow_px, 5)
    made = inpainted(
        pixels, mask, tmp_path, grow_px=grow_px, feather_px=feather_px, model="m", models=onnx_models
    )
    result = made.decoded.pixels
    distance = distance_transform_edt(mask == 0)
    assert (result[distance > grow_px] == pixels[distance > grow_px]).all()
    assert (result[distance <= grow_px - feather_px] == ONNX_FILL).all()
    # In between it is a mean of both, the nearer to the mask the more of the filling.
    share = (result - pixels.astype(float)) / (ONNX_FILL - pixels.astype(float))
    band = (distance > grow_px - feather_px) & (distance <= grow_px)
    expected = 1 - (distance - (grow_px - feather_px)) / (feather_px + 1)
    assert np.abs(share[band] - expected[band][:, None]).max(initial=0) < 0.3  # both are rounded
    changed = int((distance <= grow_px).sum())
    assert changed - 4 * feather_px**2 <= made.area_px <= changed


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_kind_of_image_keeps_its_kind_and_its_known_pixels(
    tmp_path: Path, channels: int, dtype: type[np.unsignedinteger[Any]]
) -> None:
    image = photo("coffee", 96, 100)
    if channels in (2, 4):
        alpha = np.full((96, 100, 1), 255, np.uint8)
        alpha[:30] = 0
        image = np.concatenate([image[:, :, : channels - 1], alpha], axis=2)
    pixels = image[:, :, :channels].astype(dtype) * (257 if dtype == np.uint16 else 1)
    mask = box_mask(pixels.shape, np.s_[24:40, 30:50])
    made = inpainted(np.ascontiguousarray(pixels), mask, tmp_path)
    result = made.decoded.pixels
    assert (result.shape, result.dtype) == (pixels.shape, pixels.dtype)
    outside = distance_transform_edt(mask == 0) > 4
    assert (result[outside] == pixels[outside]).all()
    assert (result[mask > 0] != pixels[mask > 0]).any()
    if channels in (2, 4):
        top = np.iinfo(dtype).max
        assert (result[26, 32:48, -1] < top / 4).all()  # nothing goes on as nothing,
        assert (result[37, 32:48, -1] > top * 3 / 4).all()  # and what is seen as what is seen


def test_colour_that_nobody_sees_is_no_pattern(tmp_path: Path) -> None:
    """A hole at the edge of what is cut out gets the same filling, whatever is stored beyond the edge."""
    mask = box_mask((90, 90), np.s_[40:50, 30:60])
    made = []
    for hidden in ((255, 0, 255, 0), (0, 0, 0, 0)):
        pixels = np.dstack([photo("coffee", 90, 90), np.full((90, 90), 255, np.uint8)])
        pixels[:, :40] = hidden
        made.append(inpainted(pixels, mask, tmp_path).decoded.pixels[mask > 0])
    assert (made[0] == made[1]).all()
    assert (made[0][:, 3] > 0).any()


def test_empty_mask_returns_the_image_and_says_so(tmp_path: Path) -> None:
    pixels = photo("coffee", 40, 40)
    made = inpainted(pixels, box_mask(pixels.shape), tmp_path)
    assert (made.decoded.pixels == pixels).all()
    assert (made.area_px, made.notes) == (0, (NOTHING,))


@pytest.mark.parametrize("grow_px", [0, 4])
def test_full_mask_is_refused_with_what_made_it_full(tmp_path: Path, grow_px: int) -> None:
    pixels = photo("coffee", 40, 40)
    mask = np.full((40, 40), 255, np.uint8)
    mask[0, :grow_px] = 0
    with pytest.raises(
        InvalidParameter, match=rf"covers the whole image of 40x40 px \(mask_grow={grow_px}\)"
    ):
        inpainted(pixels, mask, tmp_path, grow_px=grow_px, feather_px=0)


def test_mask_of_another_size_and_the_same_shape_will_do(tmp_path: Path) -> None:
    pixels = photo("coffee", 80, 100)
    small = box_mask((40, 50), np.s_[10:15, 20:30])
    large = box_mask((80, 100), np.s_[20:30, 40:60])
    assert (
        inpainted(pixels, small, tmp_path).decoded.pixels == inpainted(pixels, large, tmp_path).decoded.pixels
    ).all()


def test_what_is_wrong_with_the_mask_is_said_of_the_mask(tmp_path: Path) -> None:
    pixels = photo("coffee", 40, 40)
    with pytest.raises(InvalidParameter, match=r"the mask is 40x30 px and the image 40x40 px"):
        inpainted(pixels, box_mask((30, 40)), tmp_path)
    with pytest.raises(UnsupportedFormat, match=r"^the mask: the file is text that begins with"):
        inpainted(pixels, b"no image at all", tmp_path)
    with pytest.raises(ImageTooLarge, match=r"^the mask: "):
        inpainted(pixels, box_mask((2000, 2000)), tmp_path)


@pytest.mark.full
def test_thousands_of_specks_take_no_longer_than_their_surroundings(tmp_path: Path) -> None:
    pixels = np.tile(photo("coffee", 300, 300), (2, 2, 1))
    mask = np.zeros((600, 600), np.uint8)
    mask[::12, ::12] = 255
    result = inpainted(pixels, mask, tmp_path, grow_px=1, feather_px=1).decoded.pixels
    outside = distance_transform_edt(mask == 0) > 1
    assert (result[outside] == pixels[outside]).all()
    error = result[mask > 0].astype(int) - pixels[mask > 0]
    assert np.abs(error).mean() < 6


def test_cancelling_ends_it() -> None:
    pixels = photo("coffee", 80, 80)
    hole = Hole(box_mask(pixels.shape, np.s_[20:30, 20:30]) > 0)
    with pytest.raises(Cancelled):
        inpainter().inpaint(
            Decoded(pixels, Metadata()),
            hole,
            InpaintOptions(FILL, 4, 2),
            cancelled=lambda: True,
            on_progress=lambda done, total: None,
        )


@pytest.mark.full
def test_a_small_hole_does_not_wait_behind_a_large_one() -> None:
    pixels = np.tile(photo("astronaut", 350, 350), (2, 2, 1))
    ended: list[str] = []
    one = inpainter(slots=ComputeSlots(1))

    def inpaint(name: str, side_px: int) -> None:
        hole = np.zeros((700, 700), bool)
        hole[50 : 50 + side_px, 50 : 50 + side_px] = True
        one.inpaint(
            Decoded(pixels.copy(), Metadata()),
            Hole(hole),
            InpaintOptions(FILL, 4, 2),
            cancelled=lambda: False,
            on_progress=lambda done, total: None,
        )
        ended.append(name)

    with ThreadPoolExecutor(2) as pool:
        large = pool.submit(inpaint, "large", 300)
        time.sleep(0.3)  # into its first crop
        small = pool.submit(inpaint, "small", 12)
        small.result(120)
        assert ended == ["small"]
        large.result(120)
