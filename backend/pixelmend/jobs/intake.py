"""A batch as it came in, made into work: which images there are, what each would become, what is refused."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pixelmend.core.error_codes import FULL_DISK, known_error
from pixelmend.core.errors import CorruptImage, InvalidParameter, PayloadTooLarge, PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.mask_rules import about_the_mask
from pixelmend.imaging.names import safe_path, same_name
from pixelmend.jobs.admission import Admission
from pixelmend.jobs.batch_run import MANIFEST_NAME
from pixelmend.jobs.model import BatchItem, BatchTask, JobState
from pixelmend.jobs.unpacking import UnpackLimits, is_zip, unpack

MASKS = "masks"
"""The folder of a batch's masks, below that of its images."""
_PACKED_NAME = "packed"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file of a batch, or why it is none. digest: sha256 of its bytes."""

    file_name: str
    digest: str
    error: PixelmendError | None = None


@dataclass(frozen=True, slots=True)
class Masks:
    """The masks of a batch. by_stem: the place of each below the batch's folder, by the name of its image
    without the suffix, in lower case. for_all: the only one, if a single mask was sent.
    """

    by_stem: Mapping[str, tuple[str, Incoming]]
    for_all: tuple[str, Incoming] | None = None

    def of(self, file_name: str) -> tuple[str, Incoming]:
        """Raises InvalidParameter naming what is missing, and what is wrong with the mask."""
        found = self.for_all or self.by_stem.get(_stem(file_name))
        if found is None:
            raise InvalidParameter(f"there is no mask called {_stem(file_name)!r}, whatever its suffix")
        if found[1].error is not None:
            raise about_the_mask(found[1].error)
        return found


def take_masks(folder: Path, sent: Sequence[Incoming], limits: UnpackLimits) -> Masks:
    """As `extract`, from `folder / MASKS`. Raises InvalidParameter if two masks have one name."""
    masks = extract(folder / MASKS, sent, limits)
    placed = [(f"{MASKS}/{n}", mask) for n, mask in enumerate(masks)]
    by_stem = {_stem(mask.file_name): (place, mask) for place, mask in placed}
    if len(by_stem) < len(placed) and len(placed) > 1:
        twice = next(n for n, count in Counter(_stem(m.file_name) for m in masks).items() if count > 1)
        raise InvalidParameter(f"there are several masks called {twice!r}")
    return Masks(by_stem, placed[0] if len(placed) == 1 else None)


def extract(folder: Path, sent: Sequence[Incoming], limits: UnpackLimits) -> list[Incoming]:
    """The images that were sent: the n-th lies at `folder / str(n)` unless it has an error.

    A single ZIP is unpacked and removed. Raises what `unpack` raises.
    """
    if len(sent) == 1 and is_zip(folder / "0"):
        packed = (folder / "0").rename(folder / _PACKED_NAME)
        try:
            return [Incoming(u.file_name, u.digest, u.error) for u in unpack(packed, folder, limits)]
        finally:
            packed.unlink()
    return [_checked(folder / str(n), file, limits) for n, file in enumerate(sent)]


def plan_batch(
    job_id: str,
    folder: Path,
    output_path: Path,
    images: Sequence[Incoming],
    admission: Admission,
    log: Logger,
    *,
    fresh: bool,
    masks: Masks | None = None,
) -> BatchTask:
    """Probe every image, and its mask. What can be refused of one is its problem, and its file goes."""
    names = _output_names([image.file_name for image in images], admission.output_format.suffix)
    items = []
    for n, (image, name) in enumerate(zip(images, names, strict=True)):
        pixels, error, digest, mask_name = 0, image.error, image.digest, None
        if error is None:
            try:
                if masks is not None:
                    mask_name, mask = masks.of(image.file_name)
                    digest = digest_of_pair(image.digest, mask.digest)
                place = None if mask_name is None else folder / mask_name
                pixels = admission.size_of(folder / str(n), place).pixels
            except Exception as refusal:
                error = _of_this_image(refusal, image.file_name, log)
        if error is None:
            items.append(BatchItem(image.file_name, name, digest, pixels, mask=mask_name))
        else:
            (folder / str(n)).unlink(missing_ok=True)
            items.append(
                BatchItem(
                    image.file_name,
                    name,
                    image.digest,
                    0,
                    JobState.FAILED,
                    error_code=error.code,
                    error_message=error.message,
                )
            )
    return BatchTask(job_id, folder, output_path, admission.options, admission.steps, tuple(items), fresh)


def digest_of_pair(image: str, mask: str) -> str:
    """The digest of an image with its mask, from both digests."""
    return hashlib.sha256(f"{image} {mask}".encode()).hexdigest()


def digest_of(items: Sequence[BatchItem]) -> str:
    """The same for the same images with the same names in the same order."""
    # What could not be taken out has no digest that would tell it from another.
    parts = [[item.file_name, item.digest, item.error_message] for item in items]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _stem(file_name: str) -> str:
    """Its folders, which a ZIP of masks need not share with a ZIP of images, do not count."""
    return same_name(PurePosixPath(file_name.replace("\\", "/")).stem)


def _checked(path: Path, file: Incoming, limits: UnpackLimits) -> Incoming:
    size_bytes = path.stat().st_size
    error: PixelmendError | None = None
    if size_bytes > limits.max_image_bytes:
        error = PayloadTooLarge(
            f"the image has {size_bytes} bytes, max_upload_bytes={limits.max_image_bytes}"
        )
    elif size_bytes == 0:
        error = CorruptImage("the file is empty (0 bytes)")
    return Incoming(file.file_name, file.digest, error)


def _output_names(file_names: Sequence[str], suffix: str) -> list[str]:
    """Names for the archive: folders are kept, nothing leads out of it, no two are alike."""
    taken = {MANIFEST_NAME}
    names = []
    for file_name in file_names:
        path = safe_path(file_name) or PurePosixPath("image")
        stem = path.with_name(path.stem)
        name, number = f"{stem}{suffix}", 2
        # File systems of some systems tell neither case nor composition.
        while same_name(name) in taken:
            name, number = f"{stem}-{number}{suffix}", number + 1
        taken.add(same_name(name))
        names.append(name)
    return names


def _of_this_image(error: Exception, file_name: str, log: Logger) -> PixelmendError:
    """Its problem, which does not sink the other images. Raises StorageFull, which would."""
    known = known_error(error)
    if known is not error:
        log.error("a bug failed an image of a batch", file_name=file_name, exc_info=error)
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        raise known from error
    return known
