"""`pixelmend replay`: makes a result again by the record that it carries, and compares."""

import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pixelmend.core.config import Settings
from pixelmend.core.errors import InvalidParameter, ModelUnusable
from pixelmend.core.telemetry import Logger
from pixelmend.engine.in_process import InProcessEngine
from pixelmend.imaging.codec import decode
from pixelmend.imaging.probe import InputLimits, input_limits
from pixelmend.imaging.record import find_record
from pixelmend.models.catalog import load_catalog
from pixelmend.models.integrity import sha256_of, verify_file
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import FILL
from pixelmend.tasks.record import ResultRecord, record_from_json

_PRECISIONS = ("float32", "float16", "bfloat16")


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of it. same_pixels: every value is equal. differing: the share of values that are not, and
    worst the greatest difference, in steps of the result's depth.
    """

    same_file: bool
    same_pixels: bool
    differing: float = 0.0
    worst: int = 0

    def sentence(self) -> str:
        if self.same_file:
            return "the same file, byte for byte"
        if self.same_pixels:
            return "the same pixels; the file differs in its metadata or its compression"
        return f"not the same: {self.differing:.2%} of the values differ, by {self.worst} at most"


def read_record(result: Path, settings: Settings) -> ResultRecord:
    """Raises what decoding the file raises, and InvalidParameter if it has no record that can be read."""
    text = find_record(decode(result, _limits(settings), first_frame=True).metadata)
    if text is None:
        raise InvalidParameter(f"{result.name} has no record: it was made without one, or it was removed")
    return record_from_json(text)


def replay(
    result: Path, source: Path, mask: Path | None, settings: Settings, log: Logger, out: Path | None = None
) -> Replayed:
    """Compute the result again from its source. out: keep the new file there.

    Raises InvalidParameter if the files are not those of the record, ModelUnusable if a model is not, and
    what the task itself fails with.
    """
    record = read_record(result, settings)
    _check_sources(record, source, mask)
    _check_models(record, settings)
    if out is not None and out.resolve() in [each.resolve() for each in (result, source, mask) if each]:
        raise InvalidParameter(f"--out {out} is one of the files that are compared; name another")
    # With a record, whatever the settings say now, since the result has one.
    settings = settings.model_copy(update={"record_results": True})
    if record.precision in _PRECISIONS:
        settings = settings.model_copy(update={"precision": record.precision})
    with tempfile.TemporaryDirectory() as folder:
        again = (out or Path(folder) / "again").resolve()
        task = ImageTask(uuid.uuid4().hex, source.resolve(), again, record.options, record.steps, mask)
        engine = InProcessEngine(settings, log)
        try:
            engine.run(task)
        finally:
            engine.close()
        return _compared(result, again, settings)


def _check_sources(record: ResultRecord, source: Path, mask: Path | None) -> None:
    if record.mask_sha256 is not None and mask is None:
        raise InvalidParameter("the result was made with a mask; --mask names it")
    wanted = {source: record.source_sha256}
    if mask is not None and record.mask_sha256 is not None:
        wanted[mask] = record.mask_sha256
    for path, sha256 in wanted.items():
        actual = sha256_of(path)
        if actual != sha256:
            raise InvalidParameter(f"{path.name} has sha256 {actual}; the result was made of {sha256}")


def _check_models(record: ResultRecord, settings: Settings) -> None:
    catalog = load_catalog(settings.models_dir)
    for model in record.models:
        if model.id == FILL:
            continue
        entry = catalog.usable(model.id)
        actual = verify_file(entry.path, entry.sha256)
        if model.sha256 and actual != model.sha256:
            raise ModelUnusable(
                f"model {model.id!r} has sha256 {actual} here; the result was made with {model.sha256}"
            )


def _compared(result: Path, again: Path, settings: Settings) -> Replayed:
    if sha256_of(result) == sha256_of(again):
        return Replayed(same_file=True, same_pixels=True)
    before, now = (decode(path, _limits(settings), first_frame=True).pixels for path in (result, again))
    if before.shape != now.shape:
        return Replayed(False, False, 1.0, int(np.iinfo(before.dtype).max))
    apart = np.abs(before.astype(np.int32) - now.astype(np.int32))
    return Replayed(False, not apart.any(), float((apart > 0).mean()), int(apart.max()))


def _limits(settings: Settings) -> InputLimits:
    """A result may be as large as results are."""
    largest = settings.model_copy(
        update={"max_input_pixels": settings.max_output_pixels, "max_input_side_px": 2**31 - 1}
    )
    return input_limits(largest)
