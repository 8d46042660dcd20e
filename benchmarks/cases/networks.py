"""The two networks on the CPU: ours over HTTP against the plain server and the inference engines alone."""

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import pictures, work
from benchmarks.contestants import (
    PeerMissing,
    PeerProcess,
    Picture,
    network_peer,
    peer,
    plain_server,
    reference_python,
)
from benchmarks.context import Context
from benchmarks.report import Row, at_least
from benchmarks.service import Answer, Upscaler, started
from benchmarks.timing import compare, interleave
from benchmarks.weights import compact_weights, rrdb_weights

MATMUL_SIDE = 4096
FAST, EXACT = "ours", "ours, float32"


@dataclass(frozen=True, slots=True)
class Subject:
    """A network and what is asked of it. rival: the peer that the targets are set against."""

    name: str
    architecture: str
    side_px: int
    flop_per_pixel: int
    rival: str
    fast_target: float
    exact_target: float
    share_target: float
    rounds: int


def compact(context: Context) -> list[Row]:
    """512x512 from the request to the PNG's bytes."""
    weights, what = compact_weights(context.folder / "models")
    flop = work.flop_per_pixel(work.compact_convolutions())
    subject = Subject("compact x4, 512x512", "compact", 512, flop, "plain server", 12, 3, 80, 3)
    return _measure(context, subject, weights, what)


def rrdb(context: Context) -> list[Row]:
    """160x160; ours from the request to the PNG's bytes, RealESRGANer from array to array."""
    weights, _ = rrdb_weights(context.folder / "models")
    flop = work.flop_per_pixel(work.rrdb_convolutions())
    subject = Subject("RRDBNet x4, 160x160", "rrdb", 160, flop, "RealESRGANer float32", 9, 1.6, 100, 2)
    return _measure(context, subject, weights, "seeded, 23 blocks")


class _Ours:
    """Requests to one of our services, whose answers are kept."""

    def __init__(self, upscaler: Upscaler, model: str, picture: bytes) -> None:
        self._upscaler = upscaler
        self._model = model
        self._picture = picture
        self.answers: list[Answer] = []

    def run(self) -> float:
        answer = self._upscaler.upscale(self._picture, model=self._model, format="png")
        self.answers.append(answer)
        return answer.seconds


def _measure(context: Context, subject: Subject, weights: Path, what: str) -> list[Row]:
    pixels = pictures.photo(subject.side_px, subject.side_px)
    array = context.folder / "picture.npy"
    np.save(array, pixels)
    png = pictures.as_png(pixels)
    skipped: list[str] = []
    with ExitStack() as stack:
        ours = _start_ours(context, stack, weights, png)
        contestants: dict[str, Callable[[], float]] = {name: one.run for name, one in ours.items()}
        rival_result: bytes | None = None
        if subject.rival == "plain server":
            try:
                server = stack.enter_context(plain_server(weights, subject.architecture, context.folder))
            except PeerMissing as error:
                skipped.append(f"plain server: {error}")
            else:
                rival_result = server.upscale(png)[1]
                contestants["plain server"] = lambda: server.upscale(png)[0]
        shared = Picture(weights, subject.architecture, array)
        for name, process in _start_peers(context, stack, shared).items():
            try:
                process.wait_until_ready()
            except (PeerMissing, RuntimeError) as error:
                skipped.append(f"{name}: {error}")
            else:
                context.say(f"{name}: ready")
                contestants[name] = process.run
        for one in ours.values():
            one.run()
        warm = {name: one.answers.pop() for name, one in ours.items()}
        rounds = context.repeats(subject.rounds, 1)
        seconds = interleave(contestants, rounds, on_run=context.ran)
    common = {"weights": what, "rounds": rounds, "skipped": skipped, "flop_per_pixel": subject.flop_per_pixel}
    likeness = _likeness(warm, rival_result)
    rows = _time_rows(context, subject, seconds, common | likeness)
    for name, precision in ((FAST, "bfloat16"), (EXACT, "float32")):
        rows += _share_rows(subject, ours[name].answers, name, precision, seconds, context)
    return rows


def _start_ours(context: Context, stack: ExitStack, weights: Path, png: bytes) -> dict[str, _Ours]:
    settings = {"models_dir": weights.parent, "default_model": weights.stem}
    services = {
        FAST: stack.enter_context(started(context.folder / "fast", **settings)),
        EXACT: stack.enter_context(started(context.folder / "exact", **settings, precision="float32")),
    }
    return {name: _Ours(upscaler, weights.stem, png) for name, upscaler in services.items()}


def peer_scripts(precisions: Sequence[str]) -> list[tuple[str, str, str]]:
    """Names, modules in `benchmarks.peers` and precisions of what runs beside ours."""
    return [
        (f"{name} {precision}", script, precision)
        for name, script, known in (
            ("RealESRGANer", "realesrganer", ("float32",)),
            ("spandrel", "spandrel_alone", ("float32", "bfloat16")),
            ("ONNX Runtime", "onnx_runtime", ("float32",)),
            ("OpenVINO", "openvino_alone", ("float32", "bfloat16")),
            ("ncnn", "ncnn_alone", ("float32",)),
        )
        for precision in known
        if precision in precisions
    ]


def _start_peers(context: Context, stack: ExitStack, picture: Picture) -> dict[str, PeerProcess]:
    """All of them at once: they load while nothing is timed."""
    threads = ("--threads", context.machine.physical_cores)
    precisions = context.machine.precisions
    peers = {
        name: stack.enter_context(network_peer(script, picture, precision, *threads, folder=context.folder))
        for name, script, precision in peer_scripts(precisions)
    }
    for precision in precisions:
        arguments = ("--precision", precision, "--side", MATMUL_SIDE, *threads)
        peers[f"matmul {precision}"] = stack.enter_context(
            peer("matmul", *arguments, folder=context.folder, python=reference_python())
        )
    return peers


def _likeness(answers: dict[str, Answer], rival_png: bytes | None) -> dict[str, float]:
    """That all of them compute the same picture."""
    ours = {name: pictures.decoded(answer.body) for name, answer in answers.items()}
    found = {"psnr_db_fast_and_float32": pictures.psnr_db(ours[FAST], ours[EXACT])}
    if rival_png is not None:
        found["psnr_db_float32_and_plain_server"] = pictures.psnr_db(ours[EXACT], pictures.decoded(rival_png))
    return found


def _time_rows(
    context: Context, subject: Subject, seconds: dict[str, list[float]], common: dict[str, object]
) -> list[Row]:
    fast_counts = context.machine.has_fast_bfloat16
    rows = []
    for peer_name in seconds:
        if peer_name in (FAST, EXACT) or peer_name.startswith("matmul"):
            continue
        for name in (FAST, EXACT):
            if name == FAST and "float32" in peer_name and peer_name != subject.rival:
                continue  # like with like: FP32 engines against ours in FP32
            if name == EXACT and "bfloat16" in peer_name:
                continue
            found = compare(seconds[name], seconds[peer_name])
            limit = subject.fast_target if name == FAST else subject.exact_target
            judged = peer_name == subject.rival and (name == EXACT or fast_counts)
            rows.append(
                Row(
                    f"{subject.name}: {name} against {peer_name}",
                    found.ratio,
                    target=at_least(limit) if judged else None,
                    note=f"{found.ours_s:.3f} s against {found.peer_s:.3f} s; "
                    f"rounds {found.lowest:.2f} to {found.highest:.2f}x",
                    details={
                        **common,
                        "ours_seconds": seconds[name],
                        "peer_seconds": seconds[peer_name],
                        "lowest": found.lowest,
                        "highest": found.highest,
                    },
                )
            )
    return rows


def _share_rows(
    subject: Subject,
    answers: list[Answer],
    name: str,
    precision: str,
    seconds: dict[str, list[float]],
    context: Context,
) -> list[Row]:
    """The share of the matmul rate, round by round; the median."""
    said = answers[0].provenance
    products = seconds.get(f"matmul {said.precision}")
    label = f"{subject.name}: {name}, share of the {said.precision} matmul rate"
    if products is None:
        return [Row(label, None, "%", note="the matmul rate was not measured")]
    flop = subject.flop_per_pixel * subject.side_px**2
    rates = [work.matmul_flop(MATMUL_SIDE) / product for product in products]
    device = [answer.provenance.device_s for answer in answers]
    shares = [100 * flop / device_s / rate for device_s, rate in zip(device, rates, strict=True)]
    computed = said.computed_pixels / subject.side_px**2
    expected = name == FAST and said.precision == precision and context.machine.has_fast_bfloat16
    note = (
        f"{100 * computed - 100:.0f} % more pixels computed: "
        f"{statistics.median(shares) * computed:.0f} %; device {statistics.median(device):.3f} s, "
        f"matmul {statistics.median(rates) / 1e9:.0f} GFLOP/s"
    )
    return [
        Row(
            label,
            statistics.median(shares),
            "%",
            at_least(subject.share_target, "%") if expected else None,
            note,
            {
                "share_percent_of_computed_pixels": statistics.median(shares) * computed,
                "device_seconds": device,
                "decode_seconds": [answer.provenance.decode_s for answer in answers],
                "encode_seconds": [answer.provenance.encode_s for answer in answers],
                "matmul_flop_per_s": rates,
                "tiles": said.tiles,
                "computed_pixels": said.computed_pixels,
                "precision": said.precision,
                "notes": said.notes,
            },
        )
    ]
