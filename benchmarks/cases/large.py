"""What large results cost: memory, and time per pixel."""

import statistics
from dataclasses import dataclass

from benchmarks import pictures
from benchmarks.context import Context
from benchmarks.memory import PeakMemory
from benchmarks.rates import compact_share_percent, matmul_rate
from benchmarks.report import Row, at_most
from benchmarks.service import Answer, Upscaler, started

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class _Peak:
    """before: the worker's memory when the job began."""

    before_bytes: int
    peak_bytes: int
    answer: Answer


def large(context: Context) -> list[Row]:
    """The embedded model; results of 4, 16 and 256 MP."""
    inputs = {side: pictures.as_jpeg(pictures.photo(side, side)) for side in (512, 1000, 4000)}
    rows = []
    for output_format in ("png", "jpeg"):
        # A service of its own for each: what one format has allocated is not held against the next.
        with started(context.folder / output_format) as service:
            peaks = {side: _peak(service, inputs[side], output_format) for side in (512, 1000, 4000)}
            for side, peak in peaks.items():
                context.ran(f"{output_format} from {side}x{side}", peak.answer.seconds)
            if output_format == "png":
                repeats = context.repeats(5, 3)
                small = [service.upscale(inputs[512], keep=False, format="png") for _ in range(repeats)]
                big = [peaks[4000].answer]
                if not context.quick:
                    big.append(service.upscale(inputs[4000], keep=False, format="png"))
                rows.append(_per_pixel(small, big))
        rows.append(_growth(output_format, peaks[1000], peaks[4000]))
        if output_format == "png":
            rows.append(_share(context, peaks[4000].answer))
    return rows


def _peak(service: Upscaler, picture: bytes, output_format: str) -> _Peak:
    memory = PeakMemory(service.service.worker())
    memory.reset()
    before = memory.read_bytes()
    answer = service.upscale(picture, keep=False, format=output_format)
    return _Peak(before, memory.read_bytes(), answer)


def _growth(output_format: str, small: _Peak, big: _Peak) -> Row:
    return Row(
        f"peak memory of the worker, 256 MP against 16 MP, {output_format}",
        (big.peak_bytes - small.peak_bytes) / MB,
        "MB",
        at_most(200, "MB"),
        f"{small.peak_bytes / MB:.0f} MB and {big.peak_bytes / MB:.0f} MB",
        {
            f"{name}_{what}_bytes": getattr(peak, f"{what}_bytes")
            for name, peak in (("16_mp", small), ("256_mp", big))
            for what in ("before", "peak")
        }
        | {"result_bytes": big.answer.body_bytes, "seconds": big.answer.seconds},
    )


def _share(context: Context, answer: Answer) -> Row:
    said = answer.provenance
    rate = matmul_rate(context, said.precision)
    pixels = said.width_px * said.height_px / 16
    share = compact_share_percent(pixels, said.device_s, rate)
    note = f"device {said.device_s:.2f} s"
    if share is not None and rate is not None:
        computed = share * said.computed_pixels / pixels
        note += f"; of all computed pixels {computed:.0f} %; matmul {rate / 1e9:.0f} GFLOP/s"
    return Row(
        f"256 MP, compact x4: share of the {said.precision} matmul rate",
        share,
        "%",
        note=note,
        details={"matmul_flop_per_s": rate, "computed_pixels": said.computed_pixels, "tiles": said.tiles},
    )


def _per_pixel(small: list[Answer], big: list[Answer]) -> Row:
    per_mp = {
        name: statistics.median(
            answer.seconds / (answer.provenance.width_px * answer.provenance.height_px / MB)
            for answer in answers
        )
        for name, answers in (("4_mp", small), ("256_mp", big))
    }
    return Row(
        "seconds per megapixel of result, 256 MP against 4 MP, png",
        100 * abs(per_mp["256_mp"] / per_mp["4_mp"] - 1),
        "%",
        at_most(10, "%"),
        f"{per_mp['256_mp']:.4f} and {per_mp['4_mp']:.4f} s/MP: {per_mp['256_mp'] / per_mp['4_mp']:.2f}x",
        {
            "seconds_per_mp": per_mp,
            "ratio": per_mp["256_mp"] / per_mp["4_mp"],
            "stages_seconds": {
                name: {
                    "decode": answers[0].provenance.decode_s,
                    "device": answers[0].provenance.device_s,
                    "encode": answers[0].provenance.encode_s,
                    "total": answers[0].provenance.total_s,
                    "request": answers[0].seconds,
                }
                for name, answers in (("4_mp", small), ("256_mp", big))
            },
        },
    )
