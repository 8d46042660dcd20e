"""`-` for standard input and output, through real pipes."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import decoded, encoded, photo
from tests.service import ServiceClient
from tests.video.clips import Clip, make

PICTURE = encoded(photo(side_px=40))


def pixelmend(
    *arguments: object, sent: bytes = b"", folder: Path, stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    environment |= {"PIXELMEND_DEVICE": "cpu", "COLUMNS": "200", "TMPDIR": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "pixelmend.cli", *map(str, arguments)],
        env=environment,
        input=sent,
        check=False,
        timeout=240,
        cwd=folder,
        stdout=stdout,
        stderr=subprocess.PIPE,
    )


def test_a_picture_goes_through_and_messages_go_elsewhere(tmp_path: Path, service: ServiceClient) -> None:
    at = ("--server", service.base_url)
    done = pixelmend("upscale", "-", "--format", "webp", *at, sent=PICTURE, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    served = service.client.post("/api/upscale", files={"file": PICTURE}, data={"format": "webp"})
    assert done.stdout == served.content
    assert b"standard output: 160x160" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_one_of_the_two_may_be_a_file(tmp_path: Path, service: ServiceClient) -> None:
    at = ("--server", service.base_url)
    folder = tmp_path / "work"
    (folder / "-").mkdir(parents=True)  # which earlier versions made of `-o -`
    done = pixelmend("upscale", "-", "-o", "out.png", *at, sent=PICTURE, folder=folder)
    assert done.returncode == 0, done.stderr
    assert b"out.png: 160x160" in done.stdout
    written = (folder / "out.png").read_bytes()
    (folder / "in.png").write_bytes(PICTURE)
    assert pixelmend("upscale", "in.png", "-o", "-", *at, folder=folder).stdout == written
    # Other bytes are other work, though they have the same name.
    other = encoded(photo(side_px=41))
    pixelmend("upscale", "-", "-o", "out.png", *at, sent=other, folder=folder)
    assert decoded((folder / "out.png").read_bytes()).shape == (164, 164, 3)


def test_what_is_no_image_leaves_standard_output_empty(tmp_path: Path, service: ServiceClient) -> None:
    for sent in (b"nonsense", b""):
        done = pixelmend("upscale", "-", "--server", service.base_url, sent=sent, folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"standard input: the fi" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.full
def test_what_cannot_be_a_stream_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(PICTURE)
    (tmp_path / "films").mkdir()
    wrong: list[tuple[tuple[str, ...], str]] = [
        (("upscale", "-", "in.png"), "for one file alone"),
        (("upscale", "in.png", "film.mkv", "-o", "-"), "for one file alone"),
        (("upscale", "films", "-o", "-"), "for one file alone"),
        (("inpaint", "in.png", "-"), "a mask is a file"),
    ]
    for arguments, reason in wrong:
        done = pixelmend(*arguments, sent=PICTURE, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, b"")
        assert reason in done.stderr.decode()


@pytest.mark.full
def test_a_terminal_neither_gives_an_image_nor_takes_one(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(PICTURE)
    ours, terminal = pty.openpty()
    with os.fdopen(ours), os.fdopen(terminal):
        done = pixelmend("upscale", "in.png", "-o", "-", folder=tmp_path, stdout=terminal)
        assert done.returncode == 2
        assert b"a result is not written to a terminal" in done.stderr
        command = [sys.executable, "-m", "pixelmend.cli", "upscale", "-"]
        asked = subprocess.run(command, stdin=terminal, capture_output=True, check=False, timeout=60)
        assert asked.returncode == 2
        assert b"nothing is sent to it" in asked.stderr


@pytest.mark.full
def test_a_reader_that_is_gone_or_full_is_said(tmp_path: Path, service: ServiceClient) -> None:
    command = ("upscale", "-", "--server", service.base_url)
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing):
        gone = pixelmend(*command, sent=PICTURE, folder=tmp_path, stdout=writing)
    assert gone.returncode == 2
    assert b"standard output was closed before the result was written" in gone.stderr
    with Path("/dev/full").open("wb") as full:
        stuck = pixelmend(*command, sent=PICTURE, folder=tmp_path, stdout=full.fileno())
    assert stuck.returncode == 2
    assert b"standard output takes no result: No space left on device" in stuck.stderr
    assert b"Exception ignored" not in gone.stderr + stuck.stderr


@pytest.mark.full
def test_masks_and_films_here(tmp_path: Path) -> None:
    mask = tmp_path / "mask.png"
    mask.write_bytes(encoded(photo(side_px=40)[..., 0] // 200 * 255))
    filled = pixelmend("inpaint", "-", "mask.png", sent=PICTURE, folder=tmp_path)
    assert filled.returncode == 0, filled.stderr
    assert decoded(filled.stdout).shape == (40, 40, 3)
    film = make(tmp_path / "film.mp4", Clip([0, 1500])).read_bytes()
    done = pixelmend("upscale-video", "-", sent=film, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout[4:8] == b"ftyp"
    # Without a name, the first bytes tell a film from an image.
    matroska = make(tmp_path / "film.mkv", Clip([0, 1500])).read_bytes()
    done = pixelmend("upscale", "-", sent=matroska, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"\x1a\x45\xdf\xa3")
    assert b"matroska" in done.stdout[:64]
