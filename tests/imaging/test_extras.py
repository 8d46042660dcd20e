"""Data besides the image is kept or named, and XMP does not describe data that is not kept."""

import struct
from pathlib import Path

import pytest
import tifffile

from pixelmend.imaging import xmp
from pixelmend.imaging.codec import Decoded, decode
from pixelmend.imaging.formats import PNG, Format, OutputSpec, format_registry, losses
from pixelmend.imaging.probe import InputLimits
from pixelmend.imaging.writers import open_writer
from tests.imaging import samples

OUTPUTS = format_registry().outputs

LIMITS = InputLimits()
MARK = b"http://ns.adobe.com/xap/1.0/\0"


def opened(tmp_path: Path, data: bytes) -> Decoded:
    path = tmp_path / "file"
    path.write_bytes(data)
    return decode(path, LIMITS, first_frame=True)


def jpeg_with(*segments: tuple[int, bytes], tail: bytes = b"") -> bytes:
    plain = samples.saved(samples.pillow(samples.photo()), "jpeg")
    added = b"".join(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments)
    return plain[:2] + added + plain[2:] + tail


def packet(description: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f"{description}</rdf:RDF></x:xmpmeta>"
    ).encode()


GAIN_MAP = packet('<rdf:Description xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/" h:Version="1"/>')
MOTION = packet('<rdf:Description xmlns:G="http://ns.google.com/photos/1.0/camera/" G:MotionPhoto="1"/>')


@pytest.mark.parametrize(
    ("segments", "named"),
    [
        ([(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x04abcd")], ("iptc",)),
        ([(0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x04abcd")], ("photoshop",)),
        ([(0xFE, b"made by hand")], ("comment",)),
        ([(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(40))], ("extended-xmp",)),
        ([(0xEB, b"JP\0\1" + bytes(20))], ("c2pa",)),
        ([(0xE2, b"MPF\0II*\0" + bytes(8))], ("further-images",)),
        ([(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")], ("gain-map",)),
        ([(0xE5, b"Vendor\0")], ("app-data",)),
        ([(0xE1, MARK + GAIN_MAP)], ("gain-map",)),
        ([(0xE2, b"MPF\0II*\0" + bytes(8)), (0xE1, MARK + GAIN_MAP)], ("gain-map",)),
        ([(0xE1, MARK + MOTION)], ("motion-video",)),
        ([], ()),
    ],
)
def test_what_a_jpeg_holds_is_named(
    tmp_path: Path, segments: list[tuple[int, bytes]], named: tuple[str, ...]
) -> None:
    assert opened(tmp_path, jpeg_with(*segments)).notes == named


def test_a_video_behind_the_picture_is_named(tmp_path: Path) -> None:
    tail = b"\0\0\0\x30\x0a\0\0MotionPhoto_Data\0\0\0\x18ftypmp42"
    assert opened(tmp_path, jpeg_with(tail=tail)).notes == ("motion-video",)


def test_blocks_of_a_tiff_are_named(tmp_path: Path) -> None:
    path = tmp_path / "file.tif"
    tags = [(33723, 7, 4, b"abcd", True), (34735, 3, 4, (1, 1, 0, 0), True), (52545, 7, 4, b"abcd", True)]
    tifffile.imwrite(path, samples.photo(), photometric="rgb", extratags=tags)
    assert decode(path, LIMITS).notes == ("iptc", "geotiff", "c2pa")


def avif_with_aspect(across: int, down: int) -> bytes:
    """The box takes the place of the one that names the bits of a channel, which is as long."""
    plain = samples.saved(samples.pillow(samples.photo()), "avif")
    box = struct.pack(">I4sIB3B", 16, b"pixi", 0, 3, 8, 8, 8)
    assert plain.count(box) == 1
    return plain.replace(box, struct.pack(">I4sII", 16, b"pasp", across, down))


def test_pixels_that_are_not_square_are_named(tmp_path: Path) -> None:
    plain = samples.saved(samples.pillow(samples.photo()), "jpeg")
    at = plain.index(b"JFIF\0") + 7
    changed = plain[:at] + struct.pack(">BHH", 0, 10, 11) + plain[at + 5 :]
    assert opened(tmp_path, changed).notes == ("pixel-aspect",)
    png = samples.saved(samples.pillow(samples.photo()), "png")
    chunk = samples.png_chunk(b"pHYs", struct.pack(">IIB", 10, 11, 0))
    assert opened(tmp_path, png[:33] + chunk + png[33:]).notes == ("pixel-aspect",)
    tifffile.imwrite(
        tmp_path / "file.tif", samples.photo(), photometric="rgb", resolution=(10, 11), resolutionunit=1
    )
    assert decode(tmp_path / "file.tif", LIMITS).notes == ("pixel-aspect",)
    gif = bytearray(samples.saved(samples.pillow(samples.photo()), "gif"))
    gif[12] = 50
    assert opened(tmp_path, bytes(gif)).notes == ("pixel-aspect",)
    assert opened(tmp_path, avif_with_aspect(10, 11)).notes == ("pixel-aspect",)


def test_an_aspect_that_is_square_or_unknown_is_not_named(tmp_path: Path) -> None:
    png = samples.saved(samples.pillow(samples.photo()), "png")
    for across, down in ((0, 1), (1, 0), (1, 1)):
        chunk = samples.png_chunk(b"pHYs", struct.pack(">IIB", across, down, 0))
        assert opened(tmp_path, png[:33] + chunk + png[33:]).notes == ()
    for resolution in ((3, 3), (0, 1)):
        tifffile.imwrite(
            tmp_path / "file.tif", samples.photo(), photometric="rgb", resolution=resolution, resolutionunit=1
        )
        assert decode(tmp_path / "file.tif", LIMITS).notes == ()
    gif = bytearray(samples.saved(samples.pillow(samples.photo()), "gif"))
    gif[12] = 49
    assert opened(tmp_path, bytes(gif)).notes == ()
    assert opened(tmp_path, avif_with_aspect(3, 3)).notes == ()


def test_webp_and_gif_blocks_are_named(tmp_path: Path) -> None:
    webp = bytearray(samples.saved(samples.pillow(samples.photo()), "webp"))
    webp += b"C2PA" + struct.pack("<I", 4) + bytes(4)
    webp[4:8] = struct.pack("<I", len(webp) - 8)
    assert opened(tmp_path, bytes(webp)).notes == ("c2pa",)
    gif = samples.saved(samples.pillow(samples.photo()), "gif", comment=b"hello")
    assert opened(tmp_path, gif).notes == ("comment",)


TEXT = (b"tEXt", b"parameters\0a cat, Steps: 20")
LONG_TEXT = (b"iTXt", b"prompt\0\0\0\0\0" + "schöne Katze".encode())


def png_with(*chunks: tuple[bytes, bytes]) -> bytes:
    plain = samples.saved(samples.pillow(samples.photo()), "png")
    return plain[:33] + b"".join(samples.png_chunk(name, body) for name, body in chunks) + plain[33:]


@pytest.mark.parametrize("kind", OUTPUTS, ids=str)
def test_text_goes_into_pngs_and_is_named_elsewhere(tmp_path: Path, kind: Format) -> None:
    picture = opened(tmp_path, png_with(TEXT, LONG_TEXT))
    assert picture.metadata.text == (TEXT, LONG_TEXT)
    spec = OutputSpec(kind, picture.size, 3, 8)
    result = tmp_path / f"result{kind.suffix}"
    with open_writer(result, spec, picture.metadata, threads=1) as writer:
        writer.write_rows(picture.pixels)
        writer.finish()
    if kind is PNG:
        assert decode(result, LIMITS).metadata.text == (TEXT, LONG_TEXT)
        assert losses(spec, picture.metadata) == ()
    else:
        assert losses(spec, picture.metadata) == ("text",)


def test_metadata_hidden_in_text_is_not_carried_on(tmp_path: Path) -> None:
    """Its orientation would turn the picture a second time in readers that know it."""
    hidden = (b"tEXt", b"Raw profile type exif\0\nexif\n 8\n4d4d002a")
    picture = opened(tmp_path, png_with(hidden, (b"caBX", b"claim")))

    assert picture.notes == ("raw-profile", "c2pa")
    assert picture.metadata.text == ()


def test_xmp_loses_descriptions_of_missing_data_and_nothing_else() -> None:
    kept = '<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">Container: hdrgm</dc:title>'
    gone = packet(
        '<rdf:Description xmlns:hdr="http://ns.adobe.com/hdr-gain-map/1.0/" hdr:Version="1.0" '
        "xmlns:C='http://ns.google.com/photos/1.0/container/' "
        'xmlns:Item="http://ns.google.com/photos/1.0/container/item/" '
        'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1" '
        'GCamera:MotionPhotoVersion="1" GCamera:SpecialTypeID="boats" '
        'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="0123">'
        f'{kept}<C:Directory><rdf:Seq><rdf:li><C:Item Item:Semantic="GainMap" Item:Length="99"/></rdf:li>'
        "</rdf:Seq></C:Directory><hdr:GainMapMin>0.1</hdr:GainMapMin></rdf:Description>"
    )
    edited = xmp.without_missing_data(gone)
    left = packet(
        '<rdf:Description xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" '
        'GCamera:SpecialTypeID="boats" '
        f'xmlns:xmpNote="http://ns.adobe.com/xmp/note/">{kept}</rdf:Description>'
    )
    assert edited == left
    assert xmp.without_missing_data(left) == left


def test_hostile_xmp_is_edited_in_linear_time() -> None:
    """A test that would take hours if each opening tag were searched to the end."""
    head = b'<a xmlns:h="http://ns.adobe.com/hdr-gain-map/1.0/">'
    assert len(xmp.without_missing_data(head + b"<h:x>" * 400_000)) > 1_000_000
