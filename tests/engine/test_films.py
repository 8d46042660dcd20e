"""Films through the engine, frame by frame: times, sound, tags, pictures, and what an interruption leaves."""

import threading
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.container import InputContainer
from numpy.typing import NDArray
from PIL import Image

from pixelmend.core.errors import Cancelled, CorruptVideo, PixelmendError
from pixelmend.engine.in_process import InProcessEngine
from pixelmend.imaging.target import Target
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions, UpscaleOptions
from pixelmend.tasks.upscale_video import UpscaleVideoTask, VideoOptions, resolved
from pixelmend.video.film import Film
from pixelmend.video.frames import FrameReader
from pixelmend.video.inspection import inspect
from tests.video import clips
from tests.video.clips import HEIGHT, WIDTH, Clip, Picture, constant_rate, make, moving_square, still


class Watch:
    """What became of a task; `on_progress` is called with frames done and in total."""

    def __init__(self, on_progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        self._on_progress = on_progress
        self.ended = threading.Event()
        self.outcome: ImageReport | Exception | None = None
        self.seen: list[int] = []

    def progress(self, done_tiles: int, total_tiles: int) -> None:
        self.seen.append(done_tiles)
        self._on_progress(done_tiles, total_tiles)

    def end(self, outcome: ImageReport | Exception) -> None:
        self.outcome = outcome
        self.ended.set()

    def report(self) -> ImageReport:
        assert self.ended.wait(120)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        assert self.outcome is not None
        return self.outcome


def task_of(source: Path, target: Path, *, size: Target | None = None, **video: Any) -> ImageTask:
    options = ImageOptions(
        UpscaleOptions("pixelmend-x2", size or Target()),
        format=target.suffix[1:],
        parameters=VideoOptions(**video).as_parameters(),
    )
    options = resolved(options, inspect(source).header)
    parts = target.with_name("parts")
    steps = UpscaleVideoTask().steps(options)
    return ImageTask(f"job of {target.name}", source, target, options, steps, parts_path=parts)


def upscaled(engine: InProcessEngine, source: Path, target: Path, **video: Any) -> ImageReport:
    watch = Watch()
    engine.submit(task_of(source, target, **video), watch)
    return watch.report()


def opened(path: Path) -> InputContainer:
    container = av.open(str(path))
    assert isinstance(container, InputContainer)
    return container


def times(film: Film) -> list[Fraction]:
    return [time * film.timeline.time_base_s for time in film.timeline.pts]


def pictures(path: Path) -> list[NDArray[Any]]:
    film = inspect(path)
    reader = FrameReader(path, film, film.timeline, deinterlace=False)
    return [frame.pixels for frame in reader.frames(0)]


def psnr(one: NDArray[Any], other: NDArray[Any]) -> float:
    most = 255.0 if one.dtype == np.uint8 else 65535.0
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float(10 * np.log10(most**2 / max(error, 1e-9)))


CLIPS = {
    "constant.mp4": Clip(constant_rate(12), audio=(("aac", "deu"), ("aac", "eng")), chapters=True),
    "variable.mkv": Clip([0, 40, 100, 130, 300, 310, 800, 1500], audio=(("libopus", "deu"),), chapters=True),
    "ordered.mp4": Clip(constant_rate(40), options={"bf": "3", "g": "10", "x264-params": "open-gop=1"}),
    "turned.mp4": Clip(constant_rate(5), rotation_deg=90),
    "deep.mkv": Clip(
        constant_rate(5),
        codec="libx265",
        pixel_format="yuv420p10le",
        options={"x265-params": "log-level=error"},
        colour=(9, 9, 16, 1),
    ),
    "wide.mp4": Clip(constant_rate(5), aspect=Fraction(4, 3), colour=(1, 1, 1, 1)),
    "full.mp4": Clip(constant_rate(5), colour=(1, 1, 1, 2), options={"x264-params": "chromaloc=2"}),
    "late.mkv": Clip([5000 + time for time in constant_rate(5)], audio=(("libopus", "deu"),)),
    "edited.mp4": Clip([-80, -40, 0, 40, 80]),
    "chroma.mkv": Clip(constant_rate(5), pixel_format="yuv444p"),
    "old.avi": Clip(constant_rate(12), Fraction(1, 25), codec="mpeg4", options={"bf": "2"}),
    "stream.ts": Clip(constant_rate(12), Fraction(1, 90_000)),
    "web.webm": Clip(constant_rate(5), codec="libvpx-vp9", audio=(("libopus", "deu"),)),
}


EVERY_DAY = ("constant.mp4", "variable.mkv", "ordered.mp4", "deep.mkv")


@pytest.mark.parametrize(
    "name", [name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.full) for name in CLIPS]
)
def test_times_tags_and_sound_are_the_sources(engine: InProcessEngine, tmp_path: Path, name: str) -> None:
    clip = CLIPS[name]
    if name.endswith((".avi", ".ts")):  # their clocks
        step = 1 if name.endswith("avi") else 3600
        clip = replace(clip, times=[number * step for number in range(12)])
    source = make(tmp_path / name, clip)
    suffix = source.suffix if source.suffix in (".mp4", ".mkv", ".webm") else ".mp4"
    target = tmp_path / f"result{suffix}"
    report = upscaled(engine, source, target)
    before, after = inspect(source), inspect(target)
    expected = times(before)
    if suffix != ".mp4":  # Matroska tells no times below 0, and moves the whole film then
        offset = times(after)[0] - expected[0]
        expected = [time + offset for time in expected]
    assert times(after) == expected
    assert report.frames == len(expected)
    assert after.timeline.durations[-1] * after.timeline.time_base_s == pytest.approx(
        before.timeline.durations[-1] * before.timeline.time_base_s
    )
    assert after.header.size == before.header.size.scale(2)
    assert (after.header.bits, after.header.rotation_deg) == (before.header.bits, clip.rotation_deg)
    assert after.colour == before.colour
    assert after.aspect == before.aspect
    with opened(source) as old, opened(target) as new:
        assert len(old.streams.audio) == len(new.streams.audio) == len(clip.audio)
        for number in range(len(clip.audio)):
            assert new.streams.audio[number].language == clip.audio[number][1]
        titles = [[chapter["metadata"]["title"] for chapter in each.chapters()] for each in (old, new)]
        assert titles[0] == titles[1]
    for number in range(len(clip.audio)):
        with opened(source) as old, opened(target) as new:
            sounds = [[bytes(packet) for packet in each.demux(audio=number)] for each in (old, new)]
        assert len(sounds[0]) > 5
        assert sounds[0] == sounds[1]
    assert not (tmp_path / "parts").exists()
    assert not list(tmp_path.glob("*.part"))


def test_every_frame_is_what_the_network_makes_of_it_alone(engine: InProcessEngine, tmp_path: Path) -> None:
    source = make(tmp_path / "film.mkv", Clip(constant_rate(6), codec="ffv1", pixel_format="yuv444p"))
    upscaled(engine, source, tmp_path / "result.mkv", codec="ffv1")
    alone = []
    for number, picture in enumerate(pictures(source)):
        image = tmp_path / f"{number}.png"
        Image.fromarray(picture).save(image)
        one = ImageTask(
            f"image {number}",
            image,
            tmp_path / f"{number}-x2.png",
            ImageOptions(UpscaleOptions("pixelmend-x2")),
            ("decode", "plan", "tiles", "encode"),
        )
        engine.run(one)
        alone.append(np.asarray(Image.open(one.output_path)))
    for film, image_ in zip(pictures(tmp_path / "result.mkv"), alone, strict=True):
        assert psnr(film, image_) > 48  # what is lost is the rounding of two conversions of colour


@pytest.mark.full
def test_ten_bits_stay_ten_bits(engine: InProcessEngine, tmp_path: Path) -> None:
    def ramp(number: int) -> NDArray[np.uint8]:
        return np.repeat(np.tile(np.linspace(60, 90, WIDTH), (HEIGHT, 1))[:, :, None], 3, axis=2).astype(
            np.uint8
        )

    clip = Clip(constant_rate(2), codec="ffv1", pixel_format="yuv420p10le")
    source = make(tmp_path / "film.mkv", clip, ramp)
    upscaled(engine, source, tmp_path / "result.mkv")
    result = pictures(tmp_path / "result.mkv")[0]
    assert result.dtype == np.uint16
    assert len(np.unique(result[64, :, 0])) > 40  # 8 bits have 31 values for that ramp


@pytest.mark.full
def test_what_did_not_change_is_not_computed_and_comes_out_the_same(
    engine: InProcessEngine, tmp_path: Path
) -> None:
    def half_still(number: int) -> NDArray[np.uint8]:
        """Large enough for several tiles, of which one changes; the third frame is the second again."""
        ground = np.kron(moving_square(0), np.ones((6, 6, 1), np.uint8))
        ground[10:30, 10:30] = 40 * min(number, 1)
        return ground

    clip = Clip(constant_rate(3), codec="ffv1", pixel_format="yuv444p")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clips, "WIDTH", WIDTH * 6)
        patch.setattr(clips, "HEIGHT", HEIGHT * 6)
        source = make(tmp_path / "film.mkv", clip, half_still)
    report = upscaled(engine, source, tmp_path / "result.mkv", codec="ffv1")
    per_frame = (report.tiles + report.reused_tiles) // 3
    assert per_frame >= 4
    assert report.tiles == per_frame + 1  # the first frame, and the tile that changed
    second = upscaled(engine, source, tmp_path / "second.mkv", codec="ffv1", start_s=0.04, seconds=0.04)
    assert second.frames == 1
    whole, alone = pictures(tmp_path / "result.mkv"), pictures(tmp_path / "second.mkv")
    assert np.array_equal(whole[1], alone[0])
    assert np.array_equal(whole[1], whole[2])


def test_a_still_film_costs_one_frame(engine: InProcessEngine, tmp_path: Path) -> None:
    clip = Clip(constant_rate(30), codec="ffv1", pixel_format="yuv444p")
    report = upscaled(engine, make(tmp_path / "film.mkv", clip, still), tmp_path / "result.mp4", codec="h264")
    assert (report.frames, report.tiles, report.reused_tiles) == (30, 1, 29)


def long_film(path: Path, picture: Picture = moving_square) -> Path:
    """Three segments of 5 s."""
    return make(path, Clip([number * 1000 for number in range(15)], options={"g": "5", "bf": "0"}), picture)


def test_an_interrupted_film_goes_on_at_its_last_finished_segment(
    engine: InProcessEngine, tmp_path: Path
) -> None:
    source = long_film(tmp_path / "film.mp4")
    whole = tmp_path / "whole" / "result.mkv"
    whole.parent.mkdir()
    upscaled(engine, source, whole, codec="ffv1")
    task = task_of(source, tmp_path / "result.mkv", codec="ffv1")
    watch = Watch(lambda done, total: engine.cancel(task.id) if done == 8 else None)
    engine.submit(task, watch)
    with pytest.raises(Cancelled):
        watch.report()
    assert not task.output_path.exists()
    parts = tmp_path / "parts"
    finished = {path.name: path.stat().st_mtime_ns for path in parts.glob("0*.mkv")}
    assert list(finished) == ["00000.mkv"]
    assert not list(parts.glob("*.part"))
    (parts / "00001.mkv").write_bytes(b"of a crash")  # without its JSON it counts for nothing
    again = Watch()
    engine.submit(task, again)
    report = again.report()
    assert again.seen[0] == 5
    assert report.frames == 15
    assert [times(inspect(path)) for path in (task.output_path,)] == [times(inspect(whole))]
    for one, other in zip(pictures(task.output_path), pictures(whole), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.full
def test_segments_of_other_options_are_not_taken(engine: InProcessEngine, tmp_path: Path) -> None:
    source = long_film(tmp_path / "film.mp4")
    task = task_of(source, tmp_path / "result.mp4")
    watch = Watch(lambda done, total: engine.cancel(task.id) if done == 8 else None)
    engine.submit(task, watch)
    with pytest.raises(Cancelled):
        watch.report()
    other = replace(task_of(source, tmp_path / "result.mp4", size=Target(width_px=100)), id="other")
    again = Watch()
    engine.submit(other, again)
    assert (again.report().width_px, again.seen[0]) == (100, 0)
    assert {frame.shape[1] for frame in pictures(task.output_path)} == {100}


@pytest.mark.full
def test_damage_in_the_middle_is_counted_and_the_rest_is_there(
    engine: InProcessEngine, tmp_path: Path
) -> None:
    source = make(tmp_path / "film.mkv", Clip(constant_rate(50), options={"g": "10", "bf": "0"}))
    data = bytearray(source.read_bytes())
    with opened(source) as container:
        packets = [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]
    for start, size in packets[20:24]:  # a key frame and what follows from it
        data[start + 4 : start + size] = bytes(size - 4)
    source.write_bytes(bytes(data))
    report = upscaled(engine, source, tmp_path / "result.mkv")
    kept, known = times(inspect(tmp_path / "result.mkv")), set(times(inspect(source)))
    assert 35 <= report.frames < 50
    assert len(kept) == report.frames
    assert set(kept) <= known
    (fallback,) = report.fallbacks
    assert "damaged" in fallback
    assert fallback in report.notes


def test_interlaced_films_are_deinterlaced_or_refused(engine: InProcessEngine, tmp_path: Path) -> None:
    source = make(tmp_path / "film.mkv", Clip(constant_rate(10), interlaced=True))
    assert inspect(source).header.is_interlaced
    report = upscaled(engine, source, tmp_path / "result.mkv")
    assert report.frames == 10
    assert "deinterlaced by bwdif" in report.notes
    assert report.fallbacks == ()
    assert not inspect(tmp_path / "result.mkv").header.is_interlaced
    plain = upscaled(engine, source, tmp_path / "plain.mkv", deinterlace="off")
    assert "deinterlaced by bwdif" not in plain.notes
    with pytest.raises(PixelmendError, match="the film is interlaced"):
        upscaled(engine, source, tmp_path / "refused.mkv", deinterlace="refuse")


def test_what_a_container_does_not_take_is_named(engine: InProcessEngine, tmp_path: Path) -> None:
    clip = Clip(constant_rate(5), audio=(("libopus", "deu"),), attachment=b"a font")
    source = make(tmp_path / "film.mkv", clip)
    report = upscaled(engine, source, tmp_path / "result.mov", codec="prores")
    assert "audio:opus deu" in report.not_kept
    assert any(each.startswith("attachment:") for each in report.not_kept)
    with opened(tmp_path / "result.mov") as new:
        assert not new.streams.audio
    kept = upscaled(engine, source, tmp_path / "result.mkv")
    assert not kept.not_kept
    with opened(tmp_path / "result.mkv") as new:
        assert [stream.type for stream in new.streams] == ["video", "audio", "attachment"]


@pytest.mark.full
def test_a_film_cut_off_gives_what_is_there_or_says_why(engine: InProcessEngine, tmp_path: Path) -> None:
    source = make(tmp_path / "film.mkv", Clip(constant_rate(50), options={"g": "10"}))
    source.write_bytes(source.read_bytes()[: source.stat().st_size * 2 // 3])
    report = upscaled(engine, source, tmp_path / "result.mkv")
    assert 10 < report.frames < 50
    empty = tmp_path / "empty.mkv"
    empty.write_bytes(source.read_bytes()[:600])
    with pytest.raises(PixelmendError) as failure:
        upscaled(engine, empty, tmp_path / "none.mkv")
    assert isinstance(failure.value, CorruptVideo) or failure.value.code == "unsupported-video"
    assert not (tmp_path / "none.mkv").exists()


def test_calm_keeps_times_and_what_moves(engine: InProcessEngine, tmp_path: Path) -> None:
    source = make(tmp_path / "film.mkv", Clip(constant_rate(8), codec="ffv1", pixel_format="yuv444p"))
    plain = upscaled(engine, source, tmp_path / "plain.mkv", codec="ffv1")
    report = upscaled(engine, source, tmp_path / "calm.mkv", codec="ffv1", calm=True)
    assert (report.frames, plain.frames) == (8, 8)
    assert times(inspect(tmp_path / "calm.mkv")) == times(inspect(source))
    for one, other in zip(pictures(tmp_path / "calm.mkv"), pictures(tmp_path / "plain.mkv"), strict=True):
        assert psnr(one, other) > 38


def test_cover_cuts_off_what_does_not_fit(engine: InProcessEngine, tmp_path: Path) -> None:
    source = make(tmp_path / "film.mkv", Clip(constant_rate(2), codec="ffv1", pixel_format="yuv444p"))
    square = Target(width_px=128, height_px=128, covers=True)
    task = task_of(source, tmp_path / "result.mkv", size=square, codec="ffv1")
    watch = Watch()
    engine.submit(task, watch)
    report = watch.report()
    assert (report.width_px, report.height_px) == (128, 128)
    upscaled(engine, source, tmp_path / "whole.mkv", codec="ffv1")
    middle = pictures(tmp_path / "whole.mkv")[0][:, 32:160]
    # Beside the cut the network sees a mirror instead of the picture.
    assert psnr(pictures(tmp_path / "result.mkv")[0][:, 40:-40], middle[:, 40:-40]) > 45
