"""HDR10's static metadata, through the whole engine and read by FFmpeg afterwards."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest

from pixelmend.engine.in_process import InProcessEngine
from pixelmend.video.hdr import HdrMetadata, LightLevel, MasteringDisplay, parse_display, parse_light
from pixelmend.video.inspection import inspect
from tests.engine.test_films import upscaled
from tests.video.clips import Clip, constant_rate, make

DISPLAY = MasteringDisplay(
    (
        (Fraction(68, 100), Fraction(32, 100)),
        (Fraction(265, 1000), Fraction(69, 100)),
        (Fraction(15, 100), Fraction(6, 100)),
    ),
    (Fraction(3127, 10_000), Fraction(329, 1000)),
    Fraction(1, 10_000),
    Fraction(1000),
)
WHOLE = HdrMetadata(DISPLAY, LightLevel(1000, 400))


def graded(path: Path, hdr: HdrMetadata) -> Path:
    parameters = ":".join(["log-level=error", *hdr.parameters("libx265")])
    return make(
        path,
        Clip(
            constant_rate(3),
            codec="libx265",
            pixel_format="yuv420p10le",
            options={"x265-params": parameters},
            colour=(9, 9, 16, 1),
        ),
    )


def close(one: HdrMetadata | None, other: HdrMetadata) -> bool:
    """AV1 counts chromaticities in 2**-16, and luminances in 2**-8 and 2**-14."""
    if one is None or one.light != other.light or (one.display is None) != (other.display is None):
        return False
    if one.display is None or other.display is None:
        return True
    points = zip(
        (*one.display.primaries, one.display.white),
        (*other.display.primaries, other.display.white),
        strict=True,
    )
    chromaticities = [pair for a, b in points for pair in zip(a, b, strict=True)]
    return (
        all(abs(a - b) <= Fraction(1, 2**16) for a, b in chromaticities)
        and abs(one.display.max_luminance - other.display.max_luminance) <= Fraction(1, 2**8)
        and abs(one.display.min_luminance - other.display.min_luminance) <= Fraction(1, 2**14)
    )


@pytest.mark.parametrize(("codec", "name"), [("hevc", "a.mp4"), ("av1", "a.mkv"), ("h264", "b.mp4")])
def test_it_is_kept(engine: InProcessEngine, tmp_path: Path, codec: str, name: str) -> None:
    source = graded(tmp_path / "in.mp4", WHOLE)
    assert inspect(source).hdr == WHOLE
    report = upscaled(engine, source, tmp_path / name, codec=codec)
    assert close(inspect(tmp_path / name).hdr, WHOLE)
    assert "hdr10-metadata" not in report.not_kept


@pytest.mark.parametrize("hdr", [HdrMetadata(light=WHOLE.light), HdrMetadata(display=DISPLAY)])
def test_a_part_of_it_is_kept(engine: InProcessEngine, tmp_path: Path, hdr: HdrMetadata) -> None:
    source = graded(tmp_path / "in.mkv", hdr)
    assert inspect(source).hdr == hdr
    upscaled(engine, source, tmp_path / "out.mkv", codec="hevc")
    assert inspect(tmp_path / "out.mkv").hdr == hdr


def test_an_encoder_that_cannot_tell_it_is_named(engine: InProcessEngine, tmp_path: Path) -> None:
    report = upscaled(engine, graded(tmp_path / "in.mp4", WHOLE), tmp_path / "out.webm", codec="vp9")
    assert {"hdr10-metadata", "10-bit"} <= set(report.not_kept)


def test_what_is_told_frame_by_frame_is_named_as_lost(engine: InProcessEngine, tmp_path: Path) -> None:
    source = graded(tmp_path / "in.hevc.mp4", HdrMetadata())
    # SMPTE ST 2094-40 as a message of the bit stream: one window, then nothing but zeroes.
    message = bytes.fromhex("b5003c0001040140000000000000000000000000000000000000000000000000")
    unit = b"\x4e\x01\x04" + bytes([len(message)]) + message + b"\x80"
    with_message = before_each_picture(source, tmp_path / "tagged.mp4", unit)
    found = inspect(with_message).hdr
    assert found is not None
    assert found.dynamic == ("hdr10plus-metadata",)
    report = upscaled(engine, with_message, tmp_path / "out.mp4", codec="hevc")
    assert "hdr10plus-metadata" in report.not_kept


def before_each_picture(source: Path, target: Path, unit: bytes) -> Path:
    """A copy of a film with a unit of HEVC put before every picture."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.size:
                tagged = av.Packet(len(unit).to_bytes(4) + unit + bytes(packet))
                tagged.pts, tagged.dts, tagged.time_base = packet.pts, packet.dts, packet.time_base
                tagged.is_keyframe = packet.is_keyframe
                tagged.stream = stream
                new.mux(tagged)
    return target


def packed(*, denominator: int = 50_000, low: int = 1, has_primaries: int = 1) -> bytes:
    pairs = [number for x in (34_000, 16_000) * 4 for number in (x, denominator)]
    return struct.pack("=22i", *pairs, low, 10_000, 10_000_000, 10_000, has_primaries, 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        packed()[:-1],
        packed(denominator=0),
        packed(denominator=-1),
        packed(denominator=1),
        packed(low=20_000_000),
        packed(low=-1),
        packed(has_primaries=0),
    ],
)
def test_what_makes_no_sense_is_not_told_on(data: bytes) -> None:
    assert parse_display(packed()) is not None
    assert parse_display(data) is None


def test_light_of_nothing_is_none() -> None:
    assert parse_light(bytes(8)) is None
    assert parse_light(b"\1\0\0") is None
