"""What IOPaint's page and its clients ask for, in the words of our forms."""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pixelmend.api.dialects.fields import TheirFields, header_of, the_image
from pixelmend.api.dialects.json_upload import read_json_upload
from pixelmend.api.receiving import ReadUpload
from pixelmend.api.service import Service
from pixelmend.api.uploads import FileField, Upload
from pixelmend.imaging.target import MAX_FACTOR, MIN_FACTOR
from pixelmend.tasks.form import parse_fields

_MAX_SEED = 99_999_999


class InpaintFields(TheirFields):
    """Those of IOPaint's fields that would change the picture: they take the values that leave it alone."""

    use_croper: Literal[False] = False
    use_extender: Literal[False] = False
    enable_controlnet: Literal[False] = False
    enable_brushnet: Literal[False] = False
    enable_powerpaint_v2: Literal[False] = False
    paint_by_example_example_image: None = None
    sd_seed: int = Field(42, description="Comes back as X-Seed; -1 for any.")


class PluginFields(TheirFields):
    """A run of a plug-in that makes an image."""

    name: Literal["RealESRGAN"]
    scale: float = Field(2, ge=MIN_FACTOR, le=MAX_FACTOR)


class ImageRequest(ABC):
    """One request: the `Body` that api/receiving.py asks for. unused: fields that made no difference, known
    once it was understood.
    """

    read: ReadUpload = staticmethod(read_json_upload)
    is_async = False
    unused: Mapping[str, Any]

    def __init__(self, service: Service) -> None:
        self._service = service

    def file_fields(self, ours: Mapping[str, FileField]) -> Mapping[str, FileField]:
        return {"image" if name == "file" else name: field for name, field in ours.items()}

    @abstractmethod
    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        """As `Body`."""


class Inpaint(ImageRequest):
    """A request to `/api/v1/inpaint`."""

    seed = 0

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        file, hole = the_image(upload, "image"), the_image(upload, "mask")
        asked = parse_fields(InpaintFields, _without(upload.fields, "image", "mask"))
        self.seed = asked.sd_seed if asked.sd_seed >= 0 else random.randint(1, _MAX_SEED)
        self.unused = asked.model_extra or {}
        # The result is what the image was, if that is written here.
        own = header_of(self._service, image).format.name
        written = [each.name for each in self._service.formats.outputs]
        fields = {"format": own if own in written else written[0], "mask_polarity": "white"}
        return Upload(fields, {"file": (file,), "mask": (hole,)})


class Upscale(ImageRequest):
    """A request to `/api/v1/run_plugin_gen_image`."""

    def understand(self, upload: Upload, image: Path, mask: Path) -> Upload:
        asked = parse_fields(PluginFields, _without(upload.fields, "image"))
        self.unused = asked.model_extra or {}
        return Upload({"scale": asked.scale, "format": "png"}, {"file": (the_image(upload, "image"),)})


def _without(fields: Mapping[str, Any], *images: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in images}
