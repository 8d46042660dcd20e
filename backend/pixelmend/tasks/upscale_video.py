"""The task `upscale-video`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.formats import Format
from pixelmend.imaging.target import Target
from pixelmend.models.catalog import Catalog
from pixelmend.tasks.form import DefaultModels, SizeFields, TaskForm
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.task import Task
from pixelmend.tasks.upscale import (
    check_upscale,
    upscale_factor,
    upscale_mark,
    upscale_options,
    upscaled_size,
)
from pixelmend.video.codecs import (
    ANIMATION_QUALITY,
    ANIMATIONS,
    CODECS,
    CONTAINERS,
    DEFAULT_QUALITY,
    check_pair,
    codec_like,
    codec_named,
    container_like,
    container_named,
)
from pixelmend.video.header import VideoHeader

AUTO = "auto"
ANIMATION_BYTES_PER_PX = 2
"""The size of its frames as PNG files."""
MAX_PART_S = 24 * 3600.0

_CODEC_NAMES = ", ".join(each.name for each in CODECS)
_CONTAINER_NAMES = ", ".join(each.name for each in (*CONTAINERS, *ANIMATIONS))


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """codec: a name of CODECS, or "auto" until the film's header is known. encoder: "auto" takes hardware
    works, else software. deinterlace: what is done with interlaced films: "auto" deinterlaces, "off"
    takes their frames as they are, "refuse" refuses them. start_s, seconds: the part of the film; None for
    all that follows. calm: what stands still is averaged over time.
    """

    codec: str = AUTO
    encoder: str = AUTO
    deinterlace: str = AUTO
    start_s: float = 0.0
    seconds: float | None = None
    calm: bool = False

    @classmethod
    def of(cls, options: ImageOptions) -> "VideoOptions":
        values: dict[str, Any] = dict(options.parameters)
        return cls(**values)

    def as_parameters(self) -> dict[str, JsonValue]:
        return asdict(self)

    @property
    def is_part(self) -> bool:
        return self.start_s > 0 or self.seconds is not None


class UpscaleVideoForm(SizeFields, TaskForm):
    """The text fields of a job with `task=upscale-video`, beside `file`."""

    model: Annotated[
        str | None,
        Field(
            description="A model id of `GET /api/models`; the default depends on whether scale is above 2."
        ),
    ] = None
    format: str | None = Field(
        None, description=f"Container: {_CONTAINER_NAMES}. Default: the film's own kind, else mp4."
    )
    codec: str | None = Field(None, description=f"One of {_CODEC_NAMES}. Default: the film's own, else h264.")
    quality: int | None = Field(
        None,
        ge=1,
        le=100,
        description=f"The encoder's. Default: {DEFAULT_QUALITY}; of animated images {ANIMATION_QUALITY}.",
    )
    encoder: Literal["auto", "software", "hardware"] = Field(
        "auto", description="`auto` takes a hardware encoder if one works."
    )
    deinterlace: Literal["auto", "off", "refuse"] = Field(
        "auto", description="What is done with interlaced films; `auto` deinterlaces them."
    )
    calm: bool = Field(False, description="Less flicker of what stands still, at some cost of time.")
    start: float = Field(0.0, ge=0, le=MAX_PART_S, description="Where to begin, in seconds from the start.")
    seconds: float | None = Field(
        None, gt=0, le=MAX_PART_S, description="How much of the film; default: all."
    )

    def options(self, defaults: DefaultModels, negotiated: str) -> ImageOptions:
        if self.codec:
            codec_named(self.codec)
        if self.format:
            container_named(self.format)
        video = VideoOptions(
            self.codec or AUTO, self.encoder, self.deinterlace, self.start, self.seconds, self.calm
        )
        return ImageOptions(
            upscale_options(self, self.model, defaults),
            format=self.format or AUTO,
            quality=self.quality,
            parameters=video.as_parameters(),
        )


class UpscaleVideoTask(Task):
    name = "upscale-video"
    summary = "Upscale a film"
    result = "The upscaled film, with its sound and all else that its container takes."
    cli_summary = "Upscale films on this machine or by a service"
    file_mark = "-upscaled"
    form = UpscaleVideoForm
    takes_video = True
    has_batch = False
    is_long = True

    def steps(self, options: ImageOptions) -> tuple[str, ...]:
        return ("upscale-video",)

    def outputs(self, images: tuple[Format, ...]) -> tuple[Format, ...]:
        return (*CONTAINERS, *ANIMATIONS)

    def check(self, options: ImageOptions, catalog: Catalog) -> None:
        check_upscale(options.upscale, catalog)

    def scale(self, options: ImageOptions, catalog: Catalog, known_scale: int | None) -> int:
        return upscale_factor(options.upscale, catalog, known_scale)

    def result_size(self, options: ImageOptions, source: Size, scale: int, max_pixels: int) -> Size:
        return even(upscaled_size(options.upscale, source, scale, max_pixels))

    def name_mark(self, options: ImageOptions, report: ImageReport) -> str:
        return upscale_mark(options.upscale, report)

    def headers(self, report: ImageReport) -> Mapping[str, str]:
        return {"X-Pixelmend-Frames": f"{report.frames}; reused-tiles={report.reused_tiles}"}


def even(size: Size) -> Size:
    """Encoders take no odd sides, since colour has half of the resolution; the last row or column goes."""
    return Size(max(2, size.width // 2 * 2), max(2, size.height // 2 * 2))


def resolved(options: ImageOptions, header: VideoHeader) -> ImageOptions:
    """The options for a film whose header is known: no choice is left open. Raises InvalidParameter for a
    codec that does not go into the container, or if an interlaced film is to be refused.
    """
    video = VideoOptions.of(options)
    if header.is_interlaced and video.deinterlace == "refuse":
        raise InvalidParameter("deinterlace=refuse: the film is interlaced")
    animations = [each.name for each in ANIMATIONS]
    if options.format == AUTO and header.container in animations:
        options = replace(options, format=header.container)
    if options.format in animations:
        if header.container not in animations:
            raise InvalidParameter(f"format={options.format} is for animated images; this is a film")
        if video.codec != AUTO:
            raise InvalidParameter(f"codec={video.codec} does not go into format={options.format}")
        return options
    codec = codec_like(header.codec, header.bits) if video.codec == AUTO else codec_named(video.codec)
    container = options.format
    if container == AUTO:
        container = container_like(header.container, codec)
    elif video.codec == AUTO and container not in codec.containers:
        codec = next(each for each in CODECS if container in each.containers)
    check_pair(codec, container)
    return replace(options, format=container, parameters=replace(video, codec=codec.name).as_parameters())


def expected_bytes(options: ImageOptions, size: Size, frames: int) -> int:
    """About what the result will take on the disk."""
    video = VideoOptions.of(options)
    if video.codec == AUTO:
        return ANIMATION_BYTES_PER_PX * size.pixels * frames
    codec = codec_named(video.codec)
    return round(codec.bits_per_px(options.quality or DEFAULT_QUALITY) * size.pixels * frames / 8)


def stored_target(target: Target, header: VideoHeader) -> Target:
    """For frames as they are stored: a film that players turn is computed before it is turned."""
    if header.rotation_deg % 180 == 0:
        return target
    return replace(target, width_px=target.height_px, height_px=target.width_px)
