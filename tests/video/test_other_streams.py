"""What damaged sounds do to a film: they cost the sound at most, which is said, and never the film."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import av.logging
import pytest
from av.container import InputContainer

from pixelmend.core.errors import CorruptVideo, UnsupportedVideo
from pixelmend.video.film import FinishedSegment
from pixelmend.video.inspection import inspect
from pixelmend.video.joining import join
from tests.video.clips import Clip, constant_rate, make

FRAMES = 12
CLIP = Clip(constant_rate(FRAMES), options={"bf": "0"}, audio=(("aac", "deu"), ("aac", "eng")))
OPUS = Clip(constant_rate(FRAMES), options={"bf": "0"}, audio=(("libopus", "deu"),))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """FFmpeg has much to say of damaged files."""
    before = av.logging.get_level()
    av.logging.set_level(None)
    yield
    av.logging.set_level(before)


def joined(whole: Path, damaged: Path, target: Path) -> tuple[str, ...]:
    """What is lost when the pictures of a film are joined with the other streams of its damaged copy."""
    film = inspect(whole)
    segment = whole.with_name(f"segment of {whole.stem}.mkv")
    if not segment.exists():
        make(segment, Clip(constant_rate(FRAMES), options={"bf": "0"}))
    pts = tuple(film.timeline.pts)
    lost = join(damaged, film, film.timeline, [FinishedSegment(segment, pts)], target, target.suffix[1:])
    with av.open(str(target)) as container:
        assert isinstance(container, InputContainer)
        pictures = sum(bool(packet.size) for packet in container.demux(container.streams.video[0]))
    assert pictures == FRAMES
    return lost


def languages(path: Path) -> list[str | None]:
    with av.open(str(path)) as container:
        return [stream.language for stream in container.streams.audio]


@pytest.mark.parametrize(("number", "kept"), [(0, "eng"), (1, "deu")])
def test_a_sound_without_its_header_is_left_out_and_named(tmp_path: Path, number: int, kept: str) -> None:
    whole = make(tmp_path / "film.mp4", CLIP)
    data = whole.read_bytes()
    header = data.index(b"esds")
    if number:
        header = data.index(b"esds", header + 1)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(data[:header] + b"????" + data[header + 4 :])

    target = tmp_path / "out.mkv"
    lost = joined(whole, damaged, target)
    assert lost == (f"audio:aac {'deu' if kept == 'eng' else 'eng'}",)
    assert languages(target) == [kept]


def test_a_sound_is_kept_if_one_of_its_times_goes_back_a_little(tmp_path: Path) -> None:
    whole, damaged, target = make(tmp_path / "film.mkv", OPUS), tmp_path / "damaged.mkv", tmp_path / "out.mkv"
    damaged.write_bytes(with_time(whole, number=10, time_ms=20))
    assert joined(whole, damaged, target) == ()
    assert sounds(target) == sounds(whole)


def test_a_sound_whose_times_go_back_far_is_left_out_and_named(tmp_path: Path) -> None:
    whole, damaged, target = make(tmp_path / "film.mkv", OPUS), tmp_path / "damaged.mkv", tmp_path / "out.mkv"
    damaged.write_bytes(with_time(whole, number=5, time_ms=30_000))
    assert joined(whole, damaged, target) == ("audio:opus deu",)
    assert languages(target) == []


def sounds(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        assert isinstance(container, InputContainer)
        return [bytes(packet) for packet in container.demux(container.streams.audio[0]) if packet.size]


def with_time(film: Path, *, number: int, time_ms: int) -> bytes:
    """The bytes of a Matroska film of one cluster, in which a sound's packet has another time.

    Before a packet lie the number of its track, its time in two bytes, and a byte of flags.
    """
    data = film.read_bytes()
    at = data.index(sounds(film)[number]) - 3
    return data[:at] + time_ms.to_bytes(2, "big") + data[at + 2 :]


def test_a_damaged_size_is_the_films_fault(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mp4", CLIP)
    film.write_bytes(with_impossible_index(film.read_bytes()))
    with pytest.raises(CorruptVideo, match="a damaged size in it asks for too much memory"):
        inspect(film)


MEMORY = """
import resource, sys
from pathlib import Path
from pixelmend.core.errors import PixelmendError
from pixelmend.video.inspection import inspect
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (100 << 20), used + (100 << 20)))
try:
    inspect(Path(sys.argv[1]))
except PixelmendError as error:
    print(error.code)
"""


def test_a_machine_without_memory_is_not_the_films_fault(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mp4", CLIP)
    film.write_bytes(with_impossible_index(film.read_bytes()))
    run = subprocess.run(
        [sys.executable, "-c", MEMORY, str(film)], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.stdout.strip() == "host-memory", run.stderr


def with_impossible_index(data: bytes) -> bytes:
    """The bytes of an MP4 film that claims to have 2,000 million times."""
    at = data.index(b"stts") + 8
    return data[:at] + (2_000_000_000).to_bytes(4, "big") + data[at + 4 :]


@pytest.mark.parametrize("container", ["mkv", "mp4"])
@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_damaged_films_are_joined_or_refused(
    tmp_path: Path, name: str, container: str, request: pytest.FixtureRequest
) -> None:
    whole = make(tmp_path / name, CLIP if name.endswith("mp4") else OPUS)
    data, damaged, target = whole.read_bytes(), tmp_path / f"damaged-{name}", tmp_path / f"out.{container}"
    done = refused = 0
    for seed in range(2000 if request.config.getoption("full") else 80):
        damaged.write_bytes(with_damage(data, random.Random(seed)))
        try:
            joined(whole, damaged, target)
        except (CorruptVideo, UnsupportedVideo):
            refused += 1
        else:
            done += 1
        assert not list(tmp_path.glob("*.part"))
    assert done > refused


def with_damage(data: bytes, generator: random.Random) -> bytes:
    """Some bytes are others, mostly among the headers: at the end of an MP4 film, else at its beginning."""
    changed = bytearray(data)
    headers = (data.index(b"moov"), len(data)) if b"moov" in data else (60, 800)
    first, last = headers if generator.random() < 0.7 else (len(data) // 8, len(data))
    for _ in range(generator.randrange(1, 6)):
        at = generator.randrange(first, last)
        changed[at : at + generator.choice((1, 1, 2, 4))] = generator.randbytes(1)
    return bytes(changed)
