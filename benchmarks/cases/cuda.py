"""The networks on an NVIDIA GPU."""

import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from benchmarks import pictures, work
from benchmarks.contestants import PeerMissing, Picture, network_peer, peer
from benchmarks.context import Context
from benchmarks.report import Row, at_least
from benchmarks.service import Answer, started
from benchmarks.timing import compare, interleave
from benchmarks.weights import compact_weights, rrdb_weights

RRDB_PX = 1024
COMPACT_SIDES_PX = (512, 1024, 2048)
MATMUL_SIDES = (4096, 8192)
PRODUCTS = 20
_SERVICE = (
    "import pixelmend.cli, pixelmend.api.server, pixelmend.worker.process; "
    "from importlib.metadata import version; version('pixelmend')"  # the service tells it
)


def missing_for_service() -> str | None:
    """Why this Python cannot run the service, None if it can."""
    done = subprocess.run([sys.executable, "-c", _SERVICE], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def rrdb_cuda(context: Context) -> list[Row]:
    """RRDBNet x4, 1024x1024, default precision."""
    weights, _ = rrdb_weights(context.folder / "models")
    pixels = pictures.photo(RRDB_PX, RRDB_PX)
    png = pictures.as_png(pixels)
    array = context.folder / "picture.npy"
    np.save(array, pixels)
    answers: list[Answer] = []
    notes: list[str] = []
    with ExitStack() as stack:
        contestants: dict[str, Callable[[], float]] = {}
        lacking = missing_for_service()
        if lacking:
            notes.append(f"ours was not run, this Python cannot run the service: {lacking}")
        else:
            service = stack.enter_context(
                started(context.folder / "service", device="cuda", models_dir=weights.parent)
            )

            def ours() -> float:
                answers.append(service.upscale(png, model=weights.stem))
                return answers[-1].seconds

            for _ in range(2):  # the second still chooses algorithms
                ours()
            answers.clear()
            contestants["ours"] = ours
        rival, run = _rival(context, stack, Picture(weights, "rrdb", array), notes)
        contestants[rival] = run
        for side in MATMUL_SIDES:
            contestants[f"matmul {side}"] = _matmul(context, stack, side)
        seconds = interleave(contestants, context.repeats(5, 2), on_run=context.ran)
    for note in notes:
        context.say(note)
    rate = max(work.matmul_flop(side) / statistics.median(seconds[f"matmul {side}"]) for side in MATMUL_SIDES)
    flop = work.flop_per_pixel(work.rrdb_convolutions()) * RRDB_PX**2
    rival_share = 100 * flop / statistics.median(seconds[rival]) / rate
    details = {"seconds": seconds, "matmul_flop_per_s": rate, "notes": notes}
    rows = [Row(f"RRDBNet x4 1024x1024: {rival}, share of matmul", rival_share, "%", details=details)]
    if answers:
        rows = _rrdb_rows(rival, seconds, answers, flop, rate, details) + rows
    else:
        rows.append(Row("RRDBNet x4 1024x1024: ours", None, note="; ".join(notes)))
    return rows


def compact_cuda(context: Context) -> list[Row]:
    """Compact x4: where the time goes."""
    lacking = missing_for_service()
    if lacking:
        return [Row("compact x4", None, note=f"this Python cannot run the service: {lacking}")]
    weights, what = compact_weights(context.folder / "models")
    with ExitStack() as stack:
        run = _matmul(context, stack, MATMUL_SIDES[-1])
        rate = work.matmul_flop(MATMUL_SIDES[-1]) / statistics.median(run() for _ in range(3))
    rows = []
    with started(context.folder / "service", device="cuda", models_dir=weights.parent) as service:
        for side in COMPACT_SIDES_PX:
            png = pictures.as_png(pictures.photo(side, side))
            answers = [service.upscale(png, model=weights.stem) for _ in range(2 + context.repeats(7, 3))][2:]
            rows.append(_stages(side, answers, rate, what))
    return rows


def _rrdb_rows(
    rival: str,
    seconds: dict[str, list[float]],
    answers: list[Answer],
    flop: int,
    rate: float,
    details: dict[str, object],
) -> list[Row]:
    found = compare(seconds["ours"], seconds[rival])
    device = [answer.provenance.device_s for answer in answers]
    said = answers[0].provenance
    share = 100 * flop / statistics.median(device) / rate
    computed = said.computed_pixels / RRDB_PX**2
    judged = rival.startswith("RealESRGANer")
    device_ratio = statistics.median(seconds[rival]) / statistics.median(device)
    return [
        Row(
            f"RRDBNet x4 1024x1024: ours, request to PNG, against {rival}",
            found.ratio,
            target=at_least(3) if judged else None,
            note=f"{found.ours_s:.3f} s against {found.peer_s:.3f} s; rounds {found.lowest:.2f} to "
            f"{found.highest:.2f}x; device seconds alone {device_ratio:.2f}x",
            details=details,
        ),
        Row(
            f"RRDBNet x4 1024x1024: ours in {said.precision}, share of the float16 matmul rate",
            share,
            "%",
            at_least(40, "%"),
            f"with all pixels computed {share * computed:.0f} %; device {statistics.median(device):.3f} s, "
            f"matmul {rate / 1e12:.0f} TFLOP/s",
            {
                "device_seconds": device,
                "encode_seconds": [answer.provenance.encode_s for answer in answers],
                "tiles": said.tiles,
                "computed_pixels": said.computed_pixels,
                "precision": said.precision,
                "service_notes": said.notes,
            },
        ),
    ]


def _rival(
    context: Context, stack: ExitStack, picture: Picture, notes: list[str]
) -> tuple[str, Callable[[], float]]:
    """RealESRGANer untiled, else in tiles of 512 px, or a plain forward if it is not installed."""
    for tile_px in (0, 512):
        arguments = ("--device", "cuda", "--tile", tile_px)
        process = stack.enter_context(
            network_peer("realesrganer", picture, "float16", *arguments, folder=context.folder)
        )
        try:
            process.wait_until_ready()
            process.run()
        except PeerMissing as error:
            notes.append(f"RealESRGANer is left out: {error}")
            break
        except RuntimeError as error:
            notes.append(f"RealESRGANer tile={tile_px} fails: {str(error)[-200:]}")
        else:
            return f"RealESRGANer half, tile={tile_px}", process.run
    process = stack.enter_context(
        network_peer("half_forward", picture, "float16", "--device", "cuda", folder=context.folder)
    )
    process.wait_until_ready()
    process.run()
    return "plain float16 forward", process.run


def _matmul(context: Context, stack: ExitStack, side: int) -> Callable[[], float]:
    arguments = ("--precision", "float16", "--side", side, "--device", "cuda", "--products", PRODUCTS)
    process = stack.enter_context(peer("matmul", *arguments, folder=context.folder))
    process.wait_until_ready()
    return process.run


def _stages(side: int, answers: list[Answer], rate: float, what: str) -> Row:
    middle = sorted(answers, key=lambda answer: answer.seconds)[len(answers) // 2]
    said = middle.provenance
    stages = {
        "decode": said.decode_s,
        "device": said.device_s,
        "encode after the device": said.encode_s,
        "HTTP and the rest": max(0.0, middle.seconds - said.decode_s - said.device_s - said.encode_s),
    }
    share = 100 * work.flop_per_pixel(work.compact_convolutions()) * side**2 / max(said.device_s, 1e-9) / rate
    parts = ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in stages.items())
    return Row(
        f"compact x4 {side}x{side}: request to PNG",
        middle.seconds,
        "s",
        note=f"{parts}; limited by {max(stages, key=lambda name: stages[name])}; {share:.0f} % of matmul",
        details={
            "weights": what,
            "seconds": [answer.seconds for answer in answers],
            "stages_seconds": stages,
            "precision": said.precision,
            "tiles": said.tiles,
            "share_percent": share,
        },
    )
