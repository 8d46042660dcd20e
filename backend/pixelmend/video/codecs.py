"""The codecs and containers in which films are written. Plain values: nothing here loads FFmpeg."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.formats import Format, format_named

DEFAULT_QUALITY = 80
ANIMATION_QUALITY = 90
"""The default of animated images: they are looked at more closely than films, as images are."""
FAMILIES = ("420", "422", "444")


@dataclass(frozen=True, slots=True)
class Encoder:
    """name: as FFmpeg calls it. quality_option: what it calls its quality. best, worst: the values of that
    for quality 100 and 1. options: besides. is_hardware: it needs a device that most machines lack.
    """

    name: str
    quality_option: str
    best: float
    worst: float
    options: Mapping[str, str] = field(default_factory=dict)
    is_hardware: bool = False

    def settings(self, quality: int) -> dict[str, str]:
        """quality: 1 to 100."""
        options = dict(self.options)
        if self.quality_option:
            value = self.worst + (self.best - self.worst) * (quality - 1) / 99
            options[self.quality_option] = str(round(value))
        return options


@dataclass(frozen=True, slots=True)
class Codec:
    """pixel_formats: that software writes, by family and bits. software: the encoder that is always there.
    hardware: those that may be. canonical: names by which demuxers tell it. containers: names of formats.
    plays: whether browsers play its segments. usual_bits_per_px: at the default quality.
    """

    name: str
    title: str
    pixel_formats: Mapping[tuple[str, int], str]
    software: Encoder
    containers: tuple[str, ...]
    hardware: tuple[Encoder, ...] = ()
    plays: bool = True
    usual_bits_per_px: float = 0.12

    @property
    def most_bits(self) -> int:
        return max(bits for _, bits in self.pixel_formats)

    def bits_per_px(self, quality: int) -> float:
        """About what it writes for a pixel of an ordinary film: half as much for 20 less of quality."""
        lossy = self.software.quality_option != ""
        return self.usual_bits_per_px * (2 ** ((quality - DEFAULT_QUALITY) / 20) if lossy else 1)

    def pixel_format(self, family: str, bits: int) -> tuple[str, str, int]:
        """The nearest that it has, and its family and bits: not less of either if that exists."""
        wanted = (FAMILIES.index(family), bits)

        def loss(key: tuple[str, int]) -> tuple[bool, bool, int, int]:
            has = (FAMILIES.index(key[0]), key[1])
            return has[1] < wanted[1], has[0] < wanted[0], abs(has[1] - bits), abs(has[0] - wanted[0])

        best = min(self.pixel_formats, key=loss)
        return self.pixel_formats[best], *best


def _planar(*bits: int, families: tuple[str, ...] = FAMILIES) -> dict[tuple[str, int], str]:
    return {
        (family, depth): f"yuv{family}p" + ("" if depth == 8 else f"{depth}le")
        for depth in bits
        for family in families
    }


_COMMON = ("mp4", "mkv", "mov")
_NVENC: Mapping[str, str] = MappingProxyType({"preset": "p5", "rc": "vbr", "b:v": "0"})

CODECS = (
    Codec(
        "h264",
        "H.264",
        _planar(8, 10),
        Encoder("libx264", "crf", 10, 40, {"preset": "medium"}),
        _COMMON,
        (
            Encoder("h264_nvenc", "cq", 12, 42, _NVENC, is_hardware=True),
            Encoder("h264_videotoolbox", "q:v", 90, 20, is_hardware=True),
            Encoder("h264_qsv", "global_quality", 12, 42, is_hardware=True),
        ),
    ),
    Codec(
        "hevc",
        "HEVC",
        _planar(8, 10, 12),
        Encoder("libx265", "crf", 12, 42, {"preset": "medium", "x265-params": "log-level=error"}),
        _COMMON,
        (
            Encoder("hevc_nvenc", "cq", 14, 44, _NVENC, is_hardware=True),
            Encoder("hevc_videotoolbox", "q:v", 90, 20, is_hardware=True),
            Encoder("hevc_qsv", "global_quality", 14, 44, is_hardware=True),
        ),
    ),
    Codec(
        "av1",
        "AV1",
        _planar(8, 10, families=("420",)),
        Encoder("libsvtav1", "crf", 15, 60, {"preset": "6"}),
        (*_COMMON, "webm"),
        (
            Encoder("av1_nvenc", "cq", 18, 50, _NVENC, is_hardware=True),
            Encoder("av1_qsv", "global_quality", 18, 50, is_hardware=True),
        ),
    ),
    Codec(
        "vp9",
        "VP9",
        _planar(8),  # the wheel's libvpx is built without more
        Encoder(
            "libvpx-vp9", "crf", 10, 55, {"b:v": "0", "row-mt": "1", "cpu-used": "3", "deadline": "good"}
        ),
        ("mp4", "mkv", "webm"),
    ),
    Codec(
        "prores",
        "ProRes",
        _planar(10, families=("422", "444")),
        Encoder("prores_ks", "q:v", 2, 20, {"vendor": "apl0"}),
        ("mov", "mkv"),
        plays=False,
        usual_bits_per_px=2.5,
    ),
    Codec(
        "ffv1",
        "FFV1 (lossless)",
        _planar(8, 10, 12),
        Encoder("ffv1", "", 0, 0, {"level": "3", "slicecrc": "1", "slices": "4"}),
        ("mkv",),
        plays=False,
        usual_bits_per_px=6.0,
    ),
)

MP4 = Format("mp4", "video/mp4", (".mp4", ".m4v"), written_name="MP4")
MKV = Format("mkv", "video/matroska", (".mkv",), written_name="Matroska")
WEBM = Format("webm", "video/webm", (".webm",), written_name="WebM")
MOV = Format("mov", "video/quicktime", (".mov",), written_name="QuickTime")
CONTAINERS = (MP4, MKV, WEBM, MOV)
GIF = Format("gif", "image/gif", (".gif",), written_name="GIF")
APNG = Format("apng", "image/apng", (".apng", ".png"), written_name="animated PNG")
WEBP = Format("webp", "image/webp", (".webp",), written_name="animated WebP")
AVIF = Format("avif", "image/avif", (".avif",), written_name="animated AVIF")
ANIMATIONS = (GIF, APNG, WEBP, AVIF)
"""Animated images are read and written as films; films do not become animated images."""
MUXERS: Mapping[str, str] = MappingProxyType({"mp4": "mp4", "mkv": "matroska", "webm": "webm", "mov": "mov"})
"""What FFmpeg calls them."""
VIDEO_SUFFIXES = (
    ".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".m2ts", ".mts", ".mpg", ".mpeg", ".flv", ".wmv",
    ".3gp", ".ogv", ".mxf", ".nut",
)  # fmt: skip
"""A file whose name ends in one of these is taken for a film."""


def container_named(name: str) -> Format:
    """Raises InvalidParameter naming what there is."""
    return format_named(name, (*CONTAINERS, *ANIMATIONS))


def container_like(demuxer: str, codec: Codec) -> str:
    """The name of the container for a film that a demuxer of that name reads, if it takes the codec."""
    wished = "mp4"
    if "matroska" in demuxer:
        wished = "webm" if "webm" in codec.containers and codec.name == "vp9" else "mkv"
    return next(name for name in (wished, "mp4", *codec.containers) if name in codec.containers)


def codec_named(name: str) -> Codec:
    """Raises InvalidParameter naming what there is."""
    found = next((each for each in CODECS if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in CODECS)
        raise InvalidParameter(f"codec={name[:64]!r} is not known; there are: {known}")
    return found


def codec_like(source: str, bits: int = 8) -> Codec:
    """The source's own codec if it is one of those, else H.264. bits: of the source's samples.

    AV1 stands in for VP9 if that would keep 8 bits only: the same players have it.
    """
    own = next((each for each in CODECS if each.name == source), CODECS[0])
    if bits > 8 and own.most_bits == 8:
        return codec_named("av1")
    return own


def check_pair(codec: Codec, container: str) -> None:
    """Raises InvalidParameter if the container does not take the codec."""
    if container not in codec.containers:
        raise InvalidParameter(
            f"codec={codec.name} does not go into format={container}; "
            f"that takes it: {', '.join(codec.containers)}"
        )
