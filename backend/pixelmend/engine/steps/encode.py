"""The step `encode`: the result is written; what the tiles have written already is completed."""

import time

from pixelmend.core.geometry import Size
from pixelmend.engine.encoder_memory import Encoders
from pixelmend.engine.steps.report import record_of
from pixelmend.engine.steps.work import PipelineLimits, Work
from pixelmend.imaging.formats import FormatRegistry, OutputSpec
from pixelmend.imaging.record import with_record
from pixelmend.imaging.writers import ImageWriter

_ROWS_AT_ONCE = 256


class EncodeStep:
    def __init__(self, encoders: Encoders, limits: PipelineLimits) -> None:
        self._encoders = encoders
        self._limits = limits

    def __call__(self, work: Work) -> None:
        work.raise_if_cancelled()
        began_s = time.perf_counter()
        writer = work.writer or self._write(work)
        writer.finish()
        work.encode_s = time.perf_counter() - began_s

    def _write(self, work: Work) -> ImageWriter:
        """The image at its own size."""
        decoded = work.decoded
        work.spec = output_spec(work, decoded.size, self._limits.input.formats)
        writer = open_output(work, self._encoders, self._limits)
        for top in range(0, decoded.size.height, _ROWS_AT_ONCE):
            work.raise_if_cancelled()
            writer.write_rows(decoded.pixels[top : top + _ROWS_AT_ONCE])
        return writer


def output_spec(work: Work, size: Size, formats: FormatRegistry) -> OutputSpec:
    options, decoded = work.task.options, work.decoded
    output = formats.output(options.format)
    return OutputSpec(output, size, decoded.channels, decoded.bits, options.quality)


def open_output(
    work: Work, encoders: Encoders, limits: PipelineLimits, source_size: Size | None = None
) -> ImageWriter:
    """A writer for the task's result, which leaves nothing unless it is finished."""
    assert work.spec is not None, "a step before this one knows the result"
    record = record_of(work).to_json() if limits.record_results else None
    writer = encoders.open_writer(
        work.task.output_path,
        work.spec,
        with_record(work.decoded.metadata, record, as_text=work.spec.writing.keeps_text),
        threads=limits.threads,
        source_size=source_size,
        raise_if_cancelled=work.raise_if_cancelled,
    )
    return work.resources.enter_context(writer)
