"""Reading a film's header in a process of its own."""

import os
import sys
import zlib
from pathlib import Path

import av
import pytest
from PIL import Image

from pixelmend.core.errors import (
    CorruptVideo,
    ExtraMissing,
    HostMemoryError,
    InternalError,
    UnsupportedVideo,
    VideoTooLarge,
)
from pixelmend.video.header import VideoLimits
from pixelmend.video.probe import VideoProber
from tests.video.clips import Clip, constant_rate, make


def test_header_of_a_film_and_of_a_part_of_it(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", Clip(constant_rate(50), audio=(("libopus", "deu"),)))
    header = VideoProber(VideoLimits()).probe(film)
    assert (str(header.size), header.frames, header.seconds, header.bits) == ("96x64", 50, 2.0, 8)
    part = VideoProber(VideoLimits()).probe(film, start_s=1.0, seconds=0.4)
    assert (part.frames, part.seconds) == (10, 0.4)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (VideoLimits(max_frames=49), "50 frames exceed max_video_frames=49"),
        (VideoLimits(max_s=1), "2 s exceed max_video_s=1"),
        (VideoLimits(max_pixels=6000), "frames of 96x64 px exceed max_input_pixels=6000"),
        (VideoLimits(max_side=90), "frames of 96x64 px exceed max_input_side_px=90"),
    ],
)
def test_what_is_too_large_is_refused_by_its_header(tmp_path: Path, limits: VideoLimits, words: str) -> None:
    film = make(tmp_path / "film.mp4", Clip(constant_rate(50)))
    with pytest.raises(VideoTooLarge, match=words):
        VideoProber(limits).probe(film)


def test_a_name_is_no_address_and_a_playlist_no_film(tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    make(secret, Clip(constant_rate(3)))
    for name, text in (
        ("list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"),
        ("list.txt", f"ffconcat version 1.0\nfile '{secret}'\n"),
        (
            "list.mpd",
            f"<MPD><Period><AdaptationSet><BaseURL>{secret}</BaseURL></AdaptationSet></Period></MPD>",
        ),
    ):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(UnsupportedVideo):
            VideoProber(VideoLimits()).probe(path)
    odd = tmp_path / "http:example.mp4"
    odd.write_bytes(secret.read_bytes())
    assert VideoProber(VideoLimits()).probe(odd).frames == 3


def test_a_file_that_ends_or_stops_the_reader_is_a_damaged_one(tmp_path: Path) -> None:
    film, program = tmp_path / "film.mp4", tmp_path / "child.py"
    film.write_bytes(b"x")
    command = (sys.executable, str(program))
    program.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    with pytest.raises(CorruptVideo, match="ended the program that reads it"):
        VideoProber(VideoLimits(), program=command).probe(film)
    program.write_text("import resource as r\nr.setrlimit(r.RLIMIT_CPU, (1, 5))\nwhile True: pass\n")
    with pytest.raises(CorruptVideo, match="ended the program that reads it"):
        VideoProber(VideoLimits(), program=command).probe(film)
    program.write_text("import time\ntime.sleep(60)\n")
    with pytest.raises(CorruptVideo, match="was not read within 1 s"):
        VideoProber(VideoLimits(), timeout_s=1, program=command).probe(film)


@pytest.mark.parametrize(
    ("program", "error", "words"),
    [
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
            HostMemoryError,
            "memory may have run out",
        ),
        ("import nothing_of_this_name\n", InternalError, "cannot run: .*No module named 'nothing_of"),
    ],
)
def test_what_is_not_the_films_fault_is_not_called_that(
    tmp_path: Path, program: str, error: type[Exception], words: str
) -> None:
    (film := tmp_path / "film.mp4").write_bytes(b"x")
    (child := tmp_path / "child.py").write_text(program)
    with pytest.raises(error, match=words):
        VideoProber(VideoLimits(), program=(sys.executable, str(child))).probe(film)


def test_a_film_is_read_if_the_system_allows_less_than_the_reader_allows_itself(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", Clip(constant_rate(3)))
    script = 'ulimit -v 3000000; ulimit -t 30; exec "$@"'
    command = ("sh", "-c", script, "sh", sys.executable, "-m", "pixelmend.video.probe_child")
    assert VideoProber(VideoLimits(), program=command).probe(film).frames == 3


AS_ON_A_MAC = """
import json, resource, sys
import pixelmend.video.inspection
from pixelmend.video import probe_child

def set_limit(kind, limits, real=resource.setrlimit):
    if kind == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
    real(kind, limits)

resource.setrlimit, sys.platform = set_limit, "darwin"
json.dump(probe_child.main(sys.argv[1:]), sys.stdout)
"""


def test_macos_refuses_a_limit_of_address_space_and_films_are_read(tmp_path: Path) -> None:
    film = make(tmp_path / "film.mkv", Clip(constant_rate(3)))
    (child := tmp_path / "child.py").write_text(AS_ON_A_MAC)
    assert VideoProber(VideoLimits(), program=(sys.executable, str(child))).probe(film).frames == 3


def test_without_ffmpegs_libraries_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "av.py").write_text("raise ImportError('not installed')\n")
    film = tmp_path / "film.mp4"
    film.write_bytes(b"x")
    path = os.environ.get("PYTHONPATH", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{path}")
        with pytest.raises(ExtraMissing, match=r"pixelmend\[video\]"):
            VideoProber(VideoLimits()).probe(film)


def test_an_encrypted_film_is_called_that(tmp_path: Path) -> None:
    clear = make(tmp_path / "clear.mp4", Clip(constant_rate(3)))
    options = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "7" * 32, "encryption_kid": "a" * 32}
    secret = tmp_path / "secret.mp4"
    with av.open(str(clear)) as old, av.open(str(secret), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    with pytest.raises(UnsupportedVideo, match="encrypted"):
        VideoProber(VideoLimits()).probe(secret)


@pytest.mark.parametrize("suffix", ["gif", "png"])
def test_an_animation_is_refused_by_its_header_however_large_it_says_it_is(
    tmp_path: Path, suffix: str
) -> None:
    small = tmp_path / f"small.{suffix}"
    frames = [Image.new("P", (64, 64), number) for number in range(3)]
    frames[0].save(small, save_all=True, append_images=frames[1:])
    data = bytearray(small.read_bytes())
    if suffix == "gif":
        data[6:10] = (60_000).to_bytes(2, "little") * 2
    else:
        data[16:24] = (60_000).to_bytes(4) * 2
        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    huge = tmp_path / f"huge.{suffix}"
    huge.write_bytes(data)
    with pytest.raises(VideoTooLarge, match="frames of 60000x60000 px exceed max_input_pixels=50000000"):
        VideoProber(VideoLimits()).probe(huge)
