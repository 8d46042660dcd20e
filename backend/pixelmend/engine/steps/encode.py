"""The step `encode`: the result is written; what the tiles have written already is completed."""

import time

from pixelmend.core.geometry import Size
from pixelmend.engine.encoder_memory import Encoders
from pixelmend.engine.steps.work import Work
from pixelmend.imaging.formats import FormatRegistry, OutputSpec
from pixelmend.imaging.writers import ImageWriter

_ROWS_AT_ONCE = 256


class EncodeStep:
    """threads: of one encoder."""

    def __init__(self, encoders: Encoders, threads: int, formats: FormatRegistry) -> None:
        self._encoders = encoders
        self._threads = threads
        self._formats = formats

    def __call__(self, work: Work) -> None:
        work.raise_if_cancelled()
        began_s = time.perf_counter()
        writer = work.writer or self._write(work)
        writer.finish()
        work.encode_s = time.perf_counter() - began_s

    def _write(self, work: Work) -> ImageWriter:
        """The image at its own size."""
        decoded = work.decoded
        work.spec = output_spec(work, decoded.size, self._formats)
        writer = open_output(work, self._encoders, self._threads)
        for top in range(0, decoded.size.height, _ROWS_AT_ONCE):
            work.raise_if_cancelled()
            writer.write_rows(decoded.pixels[top : top + _ROWS_AT_ONCE])
        return writer


def output_spec(work: Work, size: Size, formats: FormatRegistry) -> OutputSpec:
    options, decoded = work.task.options, work.decoded
    output = formats.output(options.format)
    return OutputSpec(output, size, decoded.channels, decoded.bits, options.quality)


def open_output(work: Work, encoders: Encoders, threads: int, source_size: Size | None = None) -> ImageWriter:
    """A writer for the task's result, which leaves nothing unless it is finished."""
    assert work.spec is not None, "a step before this one knows the result"
    writer = encoders.open_writer(
        work.task.output_path,
        work.spec,
        work.decoded.metadata,
        threads=threads,
        source_size=source_size,
        raise_if_cancelled=work.raise_if_cancelled,
    )
    return work.resources.enter_context(writer)
