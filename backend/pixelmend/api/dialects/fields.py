"""What the fields of other programs' requests have in common."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pixelmend.api.forms import inlined
from pixelmend.api.routes.models import list_models
from pixelmend.api.service import Service
from pixelmend.api.uploads import Upload, UploadedFile
from pixelmend.core.errors import InvalidParameter, UnknownModel
from pixelmend.imaging.formats import ImageInfo
from pixelmend.imaging.probe import input_limits, probe
from pixelmend.models.catalog import ModelTask

JSON, MULTIPART = "application/json", "multipart/form-data"
UNUSED_HEADER = "X-Pixelmend-Unused"


class TheirFields(BaseModel):
    """Fields that are not declared are kept: their clients send new ones with each version."""

    model_config = ConfigDict(extra="allow")


def unused_header(names: Iterable[str]) -> dict[str, str]:
    """Says which fields were taken and made no difference."""
    # Names that no field of theirs has are the caller's own, and stay out of headers.
    told = sorted(name for name in names if name.isascii() and name.isidentifier() and len(name) <= 64)
    return {UNUSED_HEADER: ", ".join(told[:32])} if told else {}


def the_file(upload: Upload, *fields: str) -> UploadedFile:
    """The one image that any of these fields has. Raises InvalidParameter if there is none, or several."""
    sent = [file for field in fields for file in upload.files.get(field, ())]
    if len(sent) > 1:
        raise InvalidParameter(f"{len(sent)} images were sent as {' and '.join(fields)}; one is taken")
    return sent[0] if sent else upload.one(fields[0])


def the_image(upload: Upload, field: str) -> UploadedFile:
    """The image of a JSON object, as base64 in this field of it. Raises InvalidParameter if it is missing."""
    file = upload.one(field)
    if upload.fields.get(field) != "0":
        raise InvalidParameter(f"the field {field!r} is not a field of the object that was sent")
    return file


def header_of(service: Service, path: Path) -> ImageInfo:
    """What the image says of itself. Raises what it may be refused for."""
    return probe(path, input_limits(service.settings, service.formats), first_frame=True)


def require_known(service: Service, model: str | None, task: ModelTask) -> None:
    """Raises UnknownModel, which names the models for that task. model: None, or empty, for the default."""
    if not model or any(each.id == model for each in list_models(service)):
        return
    there = ", ".join(each.id for each in list_models(service) if each.present and each.task == task)
    raise UnknownModel(f"model={model[:64]!r} is not known; there are: {there}")


def request_body(fields: type[BaseModel], media_type: str, files: Mapping[str, str]) -> dict[str, Any]:
    """The OpenAPI description of a body that is read here and not by FastAPI. files: and what they are."""
    schema = inlined(fields.model_json_schema())
    form = "byte" if media_type == JSON else "binary"
    described = {
        name: {"type": "string", "format": form, "description": what} for name, what in files.items()
    }
    schema["properties"] = described | schema["properties"]
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
