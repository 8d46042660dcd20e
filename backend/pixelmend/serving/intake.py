"""A batch as it came in, made into work: which images there are, what each would become, what is refused."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pixelmend.errors import CorruptImage, PayloadTooLarge, PixelmendError
from pixelmend.serving.admission import Admission
from pixelmend.serving.batch_run import MANIFEST_NAME
from pixelmend.serving.jobs import BatchItem, BatchTask, JobState
from pixelmend.serving.unpacking import UnpackLimits, is_zip, unpack

_PACKED_NAME = "packed"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file of a batch, or why it is none. digest: sha256 of its bytes."""

    file_name: str
    digest: str
    error: PixelmendError | None = None


def take_out(folder: Path, sent: Sequence[Incoming], limits: UnpackLimits) -> list[Incoming]:
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
    *,
    fresh: bool,
) -> BatchTask:
    """Probe every image. What can be refused of one is its problem, and its file goes."""
    names = _output_names([image.file_name for image in images], admission.options.format.suffix)
    items = []
    for n, (image, name) in enumerate(zip(images, names, strict=True)):
        pixels, error = 0, image.error
        if error is None:
            try:
                pixels = admission.size_of(folder / str(n)).pixels
            except PixelmendError as refusal:
                error = refusal
        if error is None:
            items.append(BatchItem(image.file_name, name, image.digest, pixels))
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
    return BatchTask(job_id, folder, output_path, admission.options, tuple(items), fresh)


def digest_of(items: Sequence[BatchItem]) -> str:
    """The same for the same images with the same names in the same order."""
    # What could not be taken out has no digest that would tell it from another.
    parts = [[item.file_name, item.digest, item.error_message] for item in items]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


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
        # Whoever unpacks it may have a file system that tells neither case nor these characters.
        parts = [
            "".join("_" if ord(c) < 32 or c in '<>:"|?*' else c for c in part)
            for part in PurePosixPath(file_name.replace("\\", "/")).parts
            if part not in ("/", "..", ".")
        ]
        stem = PurePosixPath(*parts[:-1], PurePosixPath(parts[-1]).stem) if parts else PurePosixPath("image")
        name, number = f"{stem}{suffix}", 2
        while name.casefold() in taken:
            name, number = f"{stem}-{number}{suffix}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names
