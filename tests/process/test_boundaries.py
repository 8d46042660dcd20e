"""What is wrong with one file, or with one start of a worker, ends there: real processes, by all ways in."""

import ctypes
import io
import json
import os
import resource
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.pictures import decoded, encoded, photo
from tests.service import RunningService, running_service

pytestmark = pytest.mark.full

SEEK_TOO_LARGE = b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 128)
"""A BigTIFF whose directory lies where no file reaches."""
GOOD = encoded(photo(side_px=40), "JPEG")
MASK = encoded(photo(side_px=40) // 128 * 255, "PNG")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with running_service(tmp_path_factory.mktemp("boundaries")) as running:
        yield running


def as_a_user_would() -> None:
    cap_dac_override, pr_capbset_drop = 1, 24
    if os.geteuid() == 0:
        assert ctypes.CDLL(None).prctl(pr_capbset_drop, cap_dac_override, 0, 0, 0) == 0


def pixelmend(
    *arguments: object, before: str = "", in_child: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """before: Python that runs in the process before the command does. in_child: runs before Python does."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    code = f"import sys\n{before}\nfrom pixelmend.cli.app import app\napp()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=kept | {"PIXELMEND_DEVICE": "cpu", "COLUMNS": "400", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=in_child,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good image, one that every reader stumbles over, and names that are hard to write."""
    source = tmp_path / "in"
    source.mkdir()
    (source / "good.jpg").write_bytes(GOOD)
    (source / "seek-too-large.tif").write_bytes(SEEK_TOO_LARGE)
    (source / os.fsdecode(b"caf\xe9.jpg")).write_bytes(GOOD)
    (source / ("y" * 251 + ".jpg")).write_bytes(GOOD)
    return source


@pytest.mark.drill("a TIFF whose directory lies beyond 2^63", times=4)
def test_it_is_422_wherever_an_image_is_sent(own: RunningService) -> None:
    client = own.client
    bad: dict[str, Any] = {"file": ("bad.tif", SEEK_TOO_LARGE)}
    answers = [
        client.post("/api/upscale", files=bad),
        client.post("/api/inpaint", files=bad | {"mask": MASK}),
        client.post("/api/inpaint", files={"file": GOOD, "mask": SEEK_TOO_LARGE}),
        own.post_job(SEEK_TOO_LARGE),
    ]
    assert [(a.status_code, a.json()["type"]) for a in answers] == [
        (422, "urn:pixelmend:problem:corrupt-image")
    ] * 4
    assert "mask" in answers[2].json()["detail"]


@pytest.mark.drill("the same beside good images, as files and as a ZIP", times=2)
@pytest.mark.parametrize("as_zip", [False, True])
def test_it_leaves_the_rest_of_a_batch_alone(own: RunningService, as_zip: bool) -> None:
    sent = {"good.jpg": GOOD, "bad.tif": SEEK_TOO_LARGE}
    files: list[tuple[str, Any]] = [("files", item) for item in sent.items()]
    if as_zip:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, data in sent.items():
                archive.writestr(name, data)
        files = [("files", ("all.zip", packed.getvalue()))]
    answer = own.client.post("/api/upscale-batch", files=files)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        items = json.loads(archive.read("manifest.json"))["items"]
        assert [item["state"] for item in items] == ["done", "failed"]
        assert items[1]["problem"]["status"] == 422
        assert decoded(archive.read("good.png")).shape == (160, 160, 3)


def test_a_masks_batch_with_a_bad_mask_does_the_others(own: RunningService) -> None:
    files: list[tuple[str, Any]] = [
        ("files", ("a.jpg", GOOD)),
        ("files", ("b.jpg", GOOD)),
        ("masks", ("a.tif", SEEK_TOO_LARGE)),
        ("masks", ("b.png", MASK)),
    ]
    answer = own.client.post("/api/inpaint-batch", files=files)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        items = json.loads(archive.read("manifest.json"))["items"]
    assert [item["state"] for item in items] == ["failed", "done"]


def test_names_in_an_archive_stay_inside_of_it(own: RunningService) -> None:
    names = [
        "//etc/cron.d/x.png",
        "..\\..\\boot.png",
        "a:b.png",
        "n" * 3000 + ".png",
        "con.png",
        "\u202egnp.x",
    ]
    answer = own.client.post("/api/upscale-batch", files=[("files", (name, GOOD)) for name in names])
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        written = archive.namelist()
    assert len(written) == len(names) + 1
    assert written[:3] == ["etc/cron.d/x.png", "boot.png", "a_b.png"]
    assert all(len(part.encode()) < 250 for name in written for part in name.split("/"))
    assert written[4] == "_con.png"
    assert "\u202e" not in written[5]


def test_entries_of_a_zip_are_named_as_files_are(own: RunningService) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("Tag 1: Berg.jpg", ".", "./.", "\u00e4\u00f6.jpg", "patched.jpg", "z" * 65_000):
            archive.writestr(zipfile.ZipInfo(name), GOOD)
    # Without the flag that says UTF-8, as many programs write it; and one entry claims to be a patch.
    data = bytearray(packed.getvalue())
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = -1
        while (start := data.find(signature, start + 1)) >= 0:
            flags = int.from_bytes(data[start + at : start + at + 2], "little") & ~0x800
            head = 30 if at == 6 else 46
            flags |= 0x20 * (data[start + head : start + head + 11] == b"patched.jpg")
            data[start + at : start + at + 2] = flags.to_bytes(2, "little")
    answer = own.client.post("/api/upscale-batch", files=[("files", ("all.zip", bytes(data)))])
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        items = json.loads(archive.read("manifest.json"))["items"]
        written = archive.namelist()
    assert [item["state"] for item in items] == ["done", "done", "done", "done", "failed", "done"]
    assert "patch" in items[4]["problem"]["detail"]
    assert written[:4] == ["Tag 1_ Berg.png", "image.png", "image-2.png", "\u00e4\u00f6.png"]


def test_command_does_what_it_can_and_names_the_rest(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = pixelmend("upscale", folder, "-o", out)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 of 4 files failed" in done.stdout
    assert "seek-too-large.tif: the TIFF directory" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    made = sorted(os.fsencode(path.name) for path in out.glob("[!.]*"))
    assert made[:2] == [b"caf\xe9.png", b"good.png"]
    assert len(made) == 3
    assert len(made[2]) <= 255
    again = pixelmend("upscale", folder, "-o", out)
    assert "3 already done" in again.stdout
    other = pixelmend("upscale", folder / "good.jpg", "-o", out, "--scale", 2)
    assert (other.returncode, "already done" in other.stdout) == (0, False), other.stdout
    assert decoded((out / "good.png").read_bytes()).shape == (80, 80, 3)


def test_watch_ends_and_names_the_file(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("watch", folder, out, "--once", "--interval", "0.2")
    done = pixelmend(*arguments)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "seek-too-large.tif: the TIFF directory" in done.stdout
    assert len(list(out.glob("[!.]*"))) == 3
    # The same again is done; with other options it is not.
    assert (pixelmend(*arguments).returncode, decoded((out / "good.png").read_bytes()).shape[0]) == (0, 160)
    assert pixelmend(*arguments, "--scale", 2).returncode == 1
    assert decoded((out / "good.png").read_bytes()).shape == (80, 80, 3)


def test_folder_that_cannot_be_written_to_is_said_of_each_file(folder: Path, tmp_path: Path) -> None:
    """Root may write everywhere, unless a process is started without that capability."""
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    done = pixelmend("upscale", folder / "good.jpg", "-o", out, in_child=as_a_user_would)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"the folder {out} cannot be written to" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def with_a_full_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))


@pytest.mark.drill("a full disk while a result is downloaded", times=1)
def test_full_disk_leaves_no_part_of_what_a_service_sent(own: RunningService, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(GOOD)
    arguments = ("upscale", tmp_path / "a.jpg", "-o", tmp_path / "out", "--server", own.base_url)
    done = pixelmend(*arguments, in_child=with_a_full_disk)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no room left while writing" in done.stdout
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.drill("no process can be started (command line)", times=1)
def test_worker_that_cannot_be_spawned_ends_the_command_with_the_reason(folder: Path, tmp_path: Path) -> None:
    arguments: list[tuple[object, ...]] = [
        ("upscale", folder / "good.jpg", "-o", tmp_path / "out"),
        ("watch", folder, tmp_path / "out", "--once"),
    ]
    for command in arguments:
        ended = pixelmend(*command, before="sys.executable = '/nowhere/python'")
        assert ended.returncode == 2, ended.stdout + ended.stderr
        assert "no worker process can be started: No such file or directory" in ended.stderr


@pytest.mark.drill("no descriptors for a new worker", times=1)
def test_service_without_descriptors_for_a_worker_gets_one_when_there_are_some(own: RunningService) -> None:
    """On one connection that is open already: without descriptors there is no other."""
    own.client.get("/livez")
    process = psutil.Process(own.process.pid)
    soft, hard = process.rlimit(resource.RLIMIT_NOFILE)
    worker = own.worker()
    process.rlimit(resource.RLIMIT_NOFILE, (process.num_fds() - 3, hard))
    try:
        worker.kill()
        own.wait_until("a start that failed", status="unhealthy")
        own.wait_until_logged("no worker process can be started")
        refused = own.client.get("/readyz")
        assert refused.status_code == 503
    finally:
        process.rlimit(resource.RLIMIT_NOFILE, (soft, hard))
    own.wait_until_ready()
    assert own.client.post("/api/upscale", files={"file": GOOD}).status_code == 200
