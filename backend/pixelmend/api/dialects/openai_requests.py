"""What clients of OpenAI and of LocalAI ask for, in the words of our forms."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from pixelmend.api.dialects.fields import TheirFields, header_of, require_known, the_file
from pixelmend.api.service import Service
from pixelmend.api.uploads import FileField, Upload, read_upload
from pixelmend.core.errors import InvalidParameter
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR
from pixelmend.jobs.spool import link_file
from pixelmend.tasks.form import parse_fields

MAX_FIELD_BYTES = 131_072
"""A prompt may have 32,000 characters."""


class UpscaleFields(TheirFields):
    """model: empty for our default."""

    model: str | None = None
    scale: float = Field(2, ge=MIN_FACTOR, le=MAX_FACTOR)
    response_format: Literal["url", "b64_json"] = "url"


class EditFields(TheirFields):
    """What OpenAI's has besides is taken and named as unused."""

    model: str | None = None
    n: int = Field(1, ge=1, le=1, description="One image, always.")
    size: str = Field("auto", description="auto, or the image's own.")
    response_format: Literal["url", "b64_json"] = "b64_json"
    output_format: Literal["png", "jpeg", "webp"] = "png"
    output_compression: int | None = Field(None, ge=0, le=100, description="For jpeg and webp.")
    background: Literal["auto", "opaque"] = "auto"
    stream: Literal["false", "False", "0"] = "false"
    partial_images: int = Field(0, ge=0, le=0)


class ImageRequest(ABC):
    """One request: the `Body` that api/receiving.py asks for. asked: known once it was understood."""

    asked: UpscaleFields | EditFields
    is_async = False

    def __init__(self, service: Service) -> None:
        self._service = service

    @staticmethod
    async def read(
        content_type: str,
        content_length: str | None,
        chunks: AsyncIterator[bytes],
        file_fields: Mapping[str, FileField],
        on_received: Callable[[int], None],
    ) -> Upload:
        return await read_upload(
            content_type, content_length, chunks, file_fields, on_received, max_field_bytes=MAX_FIELD_BYTES
        )

    def file_fields(self, ours: Mapping[str, FileField]) -> Mapping[str, FileField]:
        others = {name: field for name, field in ours.items() if name != "file"}
        return {"image": ours["file"], "image[]": ours["file"], **others}

    @abstractmethod
    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        """As `Body`."""


class Upscale(ImageRequest):
    """A request to `/v1/images/upscale`."""

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        self.asked = asked = parse_fields(UpscaleFields, upload.fields)
        self.is_async = asked.response_format == "url"
        require_known(self._service, asked.model, "upscale")
        fields = {"model": asked.model, "scale": asked.scale, "format": "png"}
        return Upload(fields, {"file": (the_file(upload, "image", "image[]"),)})


class Edit(ImageRequest):
    """A request to `/v1/images/edits`."""

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        self.asked = asked = parse_fields(EditFields, upload.fields)
        self.is_async = asked.response_format == "url"
        require_known(self._service, asked.model, "inpaint")
        file, header = the_file(upload, "image", "image[]"), header_of(self._service, image)
        if asked.size not in ("auto", str(header.oriented_size)):
            raise InvalidParameter(
                f"size={asked.size[:64]!r}: auto, or the image's own {header.oriented_size}"
            )
        masks = upload.files.get("mask", ())
        if masks:
            hole = upload.one("mask")
            if not header_of(self._service, mask).has_alpha:
                raise InvalidParameter("mask: it has no transparency, which would say what to change")
        elif header.has_alpha:
            hole = file
            link_file(image, mask)
        else:
            raise InvalidParameter("mask: it is missing, and the image has no transparency in its place")
        fields = {"model": asked.model, "format": asked.output_format, "mask_polarity": "transparent"}
        if asked.output_compression is not None and asked.output_format != "png":
            fields["quality"] = str(max(1, asked.output_compression))
        return Upload(fields, {"file": (file,), "mask": (hole,)})
