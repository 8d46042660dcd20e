"""`pixelmend replay`: a result is made again by what its own file says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import encoded, photo
from tests.service import ServiceClient


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the command sets the log of its process up."""
    command = [sys.executable, "-m", "pixelmend.cli", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.png"
    path.write_bytes(encoded(photo(side_px=60)))
    return path


def made(service: ServiceClient, source: Path, name: str, **fields: str) -> Path:
    answer = service.client.post("/api/upscale", files={"file": source.read_bytes()}, data=fields)
    assert answer.status_code == 200, answer.text
    path = source.with_name(name)
    path.write_bytes(answer.content)
    return path


@pytest.mark.parametrize(
    "written",
    ["png", *(pytest.param(name, marks=pytest.mark.full) for name in ("webp", "jpeg", "avif", "tiff"))],
)
def test_a_result_of_the_service_is_made_again(service: ServiceClient, source: Path, written: str) -> None:
    result = made(service, source, f"result.{written}", format=written, scale="3", denoise="0.5")
    replayed = run("replay", result, "--source", source)
    assert replayed.returncode == 0, replayed.stderr
    assert "the same file, byte for byte" in replayed.stdout
    record = json.loads(run("replay", result).stdout)
    assert record["options"]["upscale"]["denoise"] == 0.5
    assert [model["id"] for model in record["models"]] == ["pixelmend-x4"]
    assert record["source_sha256"] in run("replay", result, "--source", result).stderr


@pytest.mark.full
def test_other_pixels_are_noticed(service: ServiceClient, source: Path) -> None:
    result = made(service, source, "result.png")
    other = made(service, source, "other.png", denoise="1")
    # The record of the first, with the pixels of the second.
    text = json.loads(run("replay", result).stdout)
    data = other.read_bytes()
    theirs = json.dumps(json.loads(run("replay", other).stdout), separators=(",", ":")).encode()
    assert theirs in data
    spliced = splice(data, theirs, json.dumps(text, separators=(",", ":")).encode())
    other.write_bytes(spliced)
    replayed = run("replay", other, "--source", source)
    assert (replayed.returncode, "not the same: " in replayed.stdout) == (1, True), replayed.stderr


def splice(png: bytes, old: bytes, new: bytes) -> bytes:
    import struct
    import zlib

    start = png.index(b"tEXtpixelmend\0" + old)
    body = b"tEXtpixelmend\0" + new
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[: start - 4] + chunk + png[start + 14 + len(old) + 4 :]


@pytest.mark.full
def test_what_is_compared_is_not_written_over(service: ServiceClient, source: Path) -> None:
    result = made(service, source, "result.png")
    before = result.read_bytes(), source.read_bytes()
    for taken in (result, source):
        refused = run("replay", result, "--source", source, "-o", taken)
        assert (refused.returncode, "name another" in refused.stderr) == (2, True)
    assert (result.read_bytes(), source.read_bytes()) == before
    again = run("replay", result, "--source", source, PIXELMEND_RECORD_RESULTS="false")
    assert "the same file, byte for byte" in again.stdout


def test_what_cannot_be_replayed_says_why(source: Path, tmp_path: Path) -> None:
    assert "source.png has no record" in run("replay", source).stderr
    missing = run("replay", tmp_path / "none.png")
    assert (missing.returncode, "none.png" in missing.stderr) == (2, True)


def test_records_can_be_turned_off(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain.png"
    done = run(
        "upscale", source, "-o", out, PIXELMEND_RECORD_RESULTS="false", PIXELMEND_DATA_DIR=str(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    assert b"pixelmend" not in out.read_bytes()
    assert "has no record" in run("replay", out).stderr
