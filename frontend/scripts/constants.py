"""Print src/api/constants.ts: what the service and the page both have to know, from the service's code."""

import json
import sys
from typing import Any, get_args

from annotated_types import Ge, Le
from pydantic import BaseModel

from pixelmend.core.config import Settings
from pixelmend.imaging.formats import format_registry
from pixelmend.imaging.mask import MASK_THRESHOLD
from pixelmend.models.catalog import load_catalog
from pixelmend.tasks.inpaint import InpaintForm
from pixelmend.tasks.options import DEFAULT_FEATHER_PX
from pixelmend.tasks.registry import task_registry
from pixelmend.tasks.upscale import UpscaleForm
from pixelmend.tasks.upscale_video import UpscaleVideoForm
from pixelmend.video.codecs import ANIMATIONS, CODECS, CONTAINERS, DEFAULT_QUALITY, VIDEO_SUFFIXES

HEAD = """/**
 * Written by `npm run api` from the service's code; not by hand. What the service and the page both have to
 * know: kinds of work, formats, limits, default values.
 */
"""
TYPES = """export type TaskId = (typeof TASKS)[number];
export type OutputFormat = keyof typeof OUTPUT_FORMATS;
export type InputFormat = (typeof INPUT_FORMATS)[number];
export type FilmContainer = keyof typeof FILM_CONTAINERS;
export type AnimationFormat = keyof typeof ANIMATION_FORMATS;
export type FilmCodec = keyof typeof FILM_CODECS;
"""
LIMITS = (
    "max_upload_bytes",
    "max_input_pixels",
    "max_input_side_px",
    "max_output_pixels",
    "max_video_bytes",
    "max_video_frames",
    "max_video_s",
)


def bounds(form: type[BaseModel], name: str, **more: Any) -> dict[str, Any]:
    """The least and the greatest value of a form's field."""
    found = form.model_fields[name].metadata
    return {
        "min": next(bound.ge for bound in found if isinstance(bound, Ge)),
        "max": next(bound.le for bound in found if isinstance(bound, Le)),
        **more,
    }


def choices(form: type[BaseModel], name: str) -> tuple[str, ...]:
    """The values of a form's field that takes one of several words."""
    return get_args(form.model_fields[name].annotation)


def main() -> None:
    formats, settings = format_registry(), Settings(_env_file=None)
    default_scale = load_catalog(settings.models_dir).get(settings.default_model).scale
    outputs = {
        each.name: {
            "title": each.title,
            "mediaType": each.media_type,
            "extension": each.suffix,
            "defaultQuality": each.writing.default_quality,
            "maxSidePx": each.writing.max_side_px,
        }
        for each in formats.outputs
        if each.writing is not None
    }
    constants: dict[str, tuple[str, Any]] = {
        "TASKS": ("", [task.name for task in task_registry().tasks]),
        "OUTPUT_FORMATS": (
            "Formats that the service writes. `defaultQuality` is null for a lossless format.",
            outputs,
        ),
        "INPUT_FORMATS": ("Formats that the service reads.", [each.name for each in formats.inputs]),
        "DEFAULT_LIMITS": (
            "The service's default settings. A service may answer other values (`GET /api/info`).",
            {name: getattr(settings, name) for name in LIMITS},
        ),
        "QUALITY": ("", bounds(UpscaleForm, "quality")),
        "SCALE": ("", bounds(UpscaleForm, "scale", default=default_scale)),
        "DENOISE": ("", bounds(UpscaleForm, "denoise")),
        "DETAIL": ("", bounds(UpscaleForm, "detail")),
        "MASK_GROW_PX": (
            "How far beyond the mask is filled as well, in px.",
            bounds(InpaintForm, "mask_grow", default=InpaintForm.model_fields["mask_grow"].default),
        ),
        "MASK_FEATHER_PX": (
            "The outermost part of the growth, which fades into the image, in px; at most the growth.",
            bounds(InpaintForm, "mask_feather", default=DEFAULT_FEATHER_PX),
        ),
        "MASK_THRESHOLD": ("Mask values from this one on, of 255, are set.", MASK_THRESHOLD),
        "DEFAULT_INPAINT_MODEL": (
            "The model that inpaints if none is named.",
            settings.default_inpaint_model,
        ),
        "FILM_CONTAINERS": (
            "Containers in which the service writes films; animated images stay what they are.",
            {each.name: {"title": each.title, "mediaType": each.media_type} for each in CONTAINERS},
        ),
        "ANIMATION_FORMATS": (
            "Animated images that are read and written as films.",
            {each.name: {"title": each.title, "mediaType": each.media_type} for each in ANIMATIONS},
        ),
        "FILM_CODECS": (
            "Codecs of films, and the containers that take them. A lossless one has no quality.",
            {
                each.name: {
                    "title": each.title,
                    "containers": each.containers,
                    "isLossless": not each.software.quality_option,
                }
                for each in CODECS
            },
        ),
        "FILM_QUALITY": ("", bounds(UpscaleVideoForm, "quality", default=DEFAULT_QUALITY)),
        "FILM_ENCODERS": ("", choices(UpscaleVideoForm, "encoder")),
        "FILM_DEINTERLACE": ("What is done with interlaced films.", choices(UpscaleVideoForm, "deinterlace")),
        "FILM_SUFFIXES": ("How the names of files end that are taken for films.", VIDEO_SUFFIXES),
    }
    sys.stdout.write(HEAD)
    for name, (meaning, value) in constants.items():
        comment = f"/** {meaning} */\n" if meaning else ""
        suffix = " as const" if isinstance(value, dict | list | tuple) else ""
        text = json.dumps(value, indent=2, ensure_ascii=False)
        sys.stdout.write(f"\n{comment}export const {name} = {text}{suffix};\n")
    sys.stdout.write(f"\n{TYPES}")


main()
