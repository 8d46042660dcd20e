"""What clients of A1111 (stable-diffusion-webui) ask for, in the words of our forms."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, Field

from pixelmend.api.dialects.fields import TheirFields, header_of, require_known, the_image
from pixelmend.api.dialects.json_upload import read_json_upload
from pixelmend.api.receiving import ReadUpload
from pixelmend.api.service import Service
from pixelmend.api.uploads import FileField, Upload
from pixelmend.core.errors import InvalidParameter
from pixelmend.core.geometry import Size
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR
from pixelmend.tasks.form import parse_fields

THEIR_NAMES = MappingProxyType(
    {
        "R-ESRGAN 4x+": "RealESRGAN_x4plus",
        "R-ESRGAN 4x+ Anime6B": "RealESRGAN_x4plus_anime_6B",
        "R-ESRGAN General 4xV3": "realesr-general-x4v3",
    }
)
"""The same weights under A1111's names, and our ids."""
NONE = "None"


class ExtrasFields(TheirFields):
    """The fields that both addresses share; what they have besides makes no difference here."""

    resize_mode: Literal[0, 1] = 0
    upscaling_resize: float = Field(2, ge=MIN_FACTOR, le=MAX_FACTOR, description="With resize_mode 0.")
    upscaling_resize_w: int = Field(512, ge=1, description="With resize_mode 1.")
    upscaling_resize_h: int = Field(512, ge=1, description="With resize_mode 1.")
    upscaling_crop: bool = Field(True, description="With resize_mode 1: cut off what is beyond it.")
    upscaler_1: str | None = Field(None, description="Of `GET /sdapi/v1/upscalers`; ours if it is not given.")
    upscaler_2: str = NONE
    extras_upscaler_2_visibility: float = Field(0, ge=0, le=1)
    gfpgan_visibility: float = Field(0, ge=0, le=0, description="Faces are not restored here.")
    codeformer_visibility: float = Field(0, ge=0, le=0, description="Faces are not restored here.")


class NamedImage(BaseModel):
    """data: base64, of which only the number is left."""

    data: str
    name: str = ""


class BatchFields(ExtrasFields):
    """The fields of `extra-batch-images`."""

    imageList: list[NamedImage]  # noqa: N815 - their name


class ExtrasRequest(ABC):
    """One request: the `Body` that api/receiving.py asks for."""

    read: ReadUpload = staticmethod(read_json_upload)
    is_async = False

    def __init__(self, service: Service) -> None:
        self._service = service

    @abstractmethod
    def file_fields(self, ours: Mapping[str, FileField]) -> Mapping[str, FileField]:
        """As `Body`."""

    @abstractmethod
    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        """As `Body`."""

    def _ours(self, asked: ExtrasFields, images: Sequence[Path]) -> dict[str, Any]:
        """Our fields, which are the same for all images."""
        if asked.upscaler_2 != NONE and asked.extras_upscaler_2_visibility > 0:
            raise InvalidParameter(
                f"extras_upscaler_2_visibility={asked.extras_upscaler_2_visibility:g}: two upscalers are not "
                "mixed here"
            )
        if asked.upscaler_1 == NONE:
            raise InvalidParameter("upscaler_1='None' upscales nothing; see GET /sdapi/v1/upscalers")
        name = asked.upscaler_1
        model = THEIR_NAMES.get(name, name) if name else None
        require_known(self._service, model, "upscale")
        fields: dict[str, Any] = {"model": model, "format": "png"}
        if asked.resize_mode == 0:
            return fields | {"scale": asked.upscaling_resize}
        if asked.upscaling_crop:
            size = {"width": asked.upscaling_resize_w, "height": asked.upscaling_resize_h}
            return fields | size | {"fit": "cover"}
        sizes = [_covering(asked, header_of(self._service, image).oriented_size) for image in images]
        if any(size != sizes[0] for size in sizes):
            raise InvalidParameter("upscaling_crop=false: the images of a request need one shape for it")
        return fields | sizes[0]


class OneImage(ExtrasRequest):
    """A request to `extra-single-image`."""

    def file_fields(self, ours: Mapping[str, FileField]) -> Mapping[str, FileField]:
        return {"image": ours["file"]}

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        file = the_image(upload, "image")
        return Upload(self._ours(parse_fields(ExtrasFields, upload.fields), [image]), {"file": (file,)})


class ManyImages(ExtrasRequest):
    """A request to `extra-batch-images`."""

    def file_fields(self, ours: Mapping[str, FileField]) -> Mapping[str, FileField]:
        return {"data": ours["files"]}

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        asked = parse_fields(BatchFields, upload.fields)
        files = upload.files.get("data", ())
        if not asked.imageList:
            raise InvalidParameter("imageList: there is no image in it")
        if [each.data for each in asked.imageList] != [str(number) for number in range(len(files))]:
            raise InvalidParameter("imageList: there are images in 'data' that do not belong to it")
        named = zip(files, asked.imageList, strict=True)
        return Upload(
            self._ours(asked, [image / str(number) for number in range(len(files))]),
            {"files": tuple(replace(file, file_name=each.name or None) for file, each in named)},
        )


def _covering(asked: ExtrasFields, image: Size) -> dict[str, Any]:
    """The smallest size of the image's shape that covers the one that was asked for."""
    if asked.upscaling_resize_w * image.height >= asked.upscaling_resize_h * image.width:
        return {"width": asked.upscaling_resize_w}
    return {"height": asked.upscaling_resize_h}
