"""A film through the service, beside a pipe of frames through RealESRGANer and a folder of frames through our
command line: seconds for each frame, what still tiles save, and memory by length.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from benchmarks import pictures
from benchmarks.contestants import PeerMissing, network_peer, reference_python
from benchmarks.contestants import Picture as PeerPicture
from benchmarks.context import Context
from benchmarks.memory import PeakMemory
from benchmarks.report import Row, at_least, at_most
from benchmarks.service import started
from benchmarks.timing import compare, interleave
from benchmarks.weights import compact_weights

WIDTH, HEIGHT, RATE = 320, 180, 24
POLL_S = 0.05
MB = 1_000_000


def films(context: Context) -> list[Row]:
    """320x180, x4, H.264 in and out; the official compact network if it is at hand."""
    models = context.folder / "models"
    weights, what = compact_weights(models)
    frames = context.repeats(48, 12)
    panned = _film(context.folder / "panned.mp4", frames, _panned())
    screen = _film(context.folder / "screen.mp4", frames, _screen())
    rows: list[Row] = []
    with started(context.folder / "service", models_dir=models) as service:
        client, worker = service.service.client, service.service.worker()

        def ours(film: Path) -> tuple[float, dict[str, int]]:
            began_s = time.perf_counter()
            fields = {"task": "upscale-video", "model": weights.stem}
            with film.open("rb") as file:
                answer = client.post("/api/jobs", data=fields, files={"file": file}, headers=_FRESH)
            job = answer.raise_for_status().json()
            while job["state"] in ("queued", "running"):
                time.sleep(POLL_S)
                job = client.get(f"/api/jobs/{job['id']}").json()
            if job["state"] != "done":
                raise RuntimeError(f"the film ended as {job['state']}: {job['problem']}")
            seconds = time.perf_counter() - began_s
            told = client.head(job["result"]["url"]).headers["x-pixelmend-frames"]
            computed = int(client.head(job["result"]["url"]).headers["x-pixelmend-tiles"].partition(";")[0])
            return seconds, {"computed": computed, "reused": int(told.rpartition("=")[2])}

        ours(_film(context.folder / "warm.mp4", 2, _panned()))
        contestants: dict[str, Callable[[], float]] = {"ours": lambda: ours(panned)[0]}
        contestants["frames by our command line"] = lambda: _by_folder(panned, weights, context.folder)
        try:
            picture = PeerPicture(weights, "compact", panned)
            with network_peer("film_pipe", picture, "float32", folder=context.folder) as process:
                process.wait_until_ready()
                contestants["pipe through RealESRGANer"] = process.run
                times = interleave(contestants, context.repeats(3, 1), on_run=context.ran)
        except PeerMissing as error:
            rows.append(Row("pipe through RealESRGANer", None, note=f"{error} ({reference_python()})"))
            times = interleave(contestants, context.repeats(3, 1), on_run=context.ran)
        target = at_least(2)
        for name in contestants:
            if name != "ours":
                found = compare(times["ours"], times[name])
                rows.append(
                    Row(
                        f"a film, {name} against ours",
                        found.ratio,
                        target=target if "pipe" in name else None,
                        note=f"{found.ours_s / frames:.2f} and {found.peer_s / frames:.2f} s a frame; {what}",
                        details={"ours_s": found.ours_s, "peer_s": found.peer_s},
                    )
                )
        memory = PeakMemory(worker)
        memory.reset()
        ours(_film(context.folder / "short.mp4", frames, _panned(seed=1)))
        short = memory.read_bytes()
        memory.reset()
        ours(_film(context.folder / "long.mp4", 3 * frames, _panned(seed=2)))
        rows.append(
            Row(
                "peak memory of the worker, a film three times as long",
                (memory.read_bytes() - short) / MB,
                "MB",
                at_most(20, "MB"),
                f"{short / MB:.0f} MB before",
            )
        )
        for name, film in (("a panned photograph", panned), ("a screen recording", screen)):
            _, tiles = ours(film)
            share = tiles["reused"] / (tiles["reused"] + tiles["computed"])
            rows.append(Row(f"tiles that were not computed, {name}", 100 * share, "%", None, "", dict(tiles)))
    return rows


_FRESH = {"Cache-Control": "no-cache"}


def _by_folder(film: Path, weights: Path, folder: Path) -> float:
    """PNG frames out, through the command line, and in again, by hand."""
    frames, results = folder / "frames", folder / "results"
    for each in (frames, results):
        shutil.rmtree(each, ignore_errors=True)
        each.mkdir()
    began_s = time.perf_counter()
    with av.open(str(film)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            pixels = frame.to_ndarray(format="rgb24").astype(np.uint8)
            (frames / f"{number:05d}.png").write_bytes(pictures.as_png(pixels))
    command = [sys.executable, "-m", "pixelmend.cli", "upscale", str(frames), "-o", str(results)]
    subprocess.run(
        [*command, "--model", weights.stem],
        check=True,
        stdout=subprocess.DEVNULL,
        env={"PIXELMEND_MODELS_DIR": str(weights.parent), "PATH": "/usr/bin:/bin", "HOME": str(folder)},
    )
    _write(folder / "by-folder.mp4", [np.asarray(_read(path)) for path in sorted(results.glob("*.png"))])
    return time.perf_counter() - began_s


def _read(path: Path) -> NDArray[np.uint8]:
    return pictures.decoded(path.read_bytes())


def _panned(seed: int = 0) -> Callable[[int], NDArray[np.uint8]]:
    ground = pictures.photo(WIDTH + 400, HEIGHT + 60)
    return lambda number: ground[20 + seed : 20 + seed + HEIGHT, number % 400 : number % 400 + WIDTH]


def _screen() -> Callable[[int], NDArray[np.uint8]]:
    """A page of text, of several tiles, on which a pointer moves."""
    page = pictures.page_of_text(3 * WIDTH)[: 3 * HEIGHT]

    def picture(number: int) -> NDArray[np.uint8]:
        frame = page.copy()
        left = 20 + 4 * number % (WIDTH - 40)
        frame[100:112, left : left + 8] = (30, 30, 200)
        return frame

    return picture


def _film(path: Path, frames: int, picture: Callable[[int], NDArray[np.uint8]]) -> Path:
    return _write(path, [picture(number) for number in range(frames)])


def _write(path: Path, frames: list[NDArray[np.uint8]]) -> Path:
    height, width = frames[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "18"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number, pixels in enumerate(frames):
            frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
