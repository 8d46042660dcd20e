"""What is told of a finished task."""

from dataclasses import dataclass
from typing import Any

from pixelmend.engine.inpainting.inpainter import InpaintResult
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.tile_scheduler import TileJob
from pixelmend.imaging.codec import Decoded
from pixelmend.imaging.formats import OutputSpec, losses
from pixelmend.tasks.image import ImageReport


@dataclass(frozen=True, slots=True)
class Source:
    """An image on its way through the engine. started_s: of the whole task, by `time.perf_counter()`."""

    decoded: Decoded
    started_s: float
    decode_s: float
    inpainted: InpaintResult | None = None


def upscale_report(
    source: Source, opened: OpenModel, job: TileJob, spec: OutputSpec, encode_began_s: float, now_s: float
) -> ImageReport:
    """Times as in `Source`."""
    device, inpainted = opened.network.device, source.inpainted
    notes = [*(inpainted.notes if inpainted else ()), *([opened.note] if opened.note else []), *job.notes]
    height, width = job.pixels.shape[:2]
    if opened.model.architecture.needs_global_context and len(job.plan) > 1:
        notes.append(f"{opened.model.id} is made for whole images; its tiles may differ in tone")
    return ImageReport(
        model=opened.model.id,
        model_sha256=opened.model.sha256,
        device_type=device.type,
        device_name=device.name,
        precision=opened.network.precision,
        tiles=len(job.plan),
        tile_size=str(job.plan.tile),
        device_s=round(job.device_s, 4),
        notes=tuple(notes),
        source_px=height * width,
        computed_px=len(job.plan) * job.plan.tile.pixels * job.planes_per_tile,
        **_common(source, spec, encode_began_s, now_s),
    )


def inpaint_report(
    source: Source, inpainted: InpaintResult, spec: OutputSpec, encode_began_s: float, now_s: float
) -> ImageReport:
    """Of a task that enlarges nothing."""
    provenance = inpainted.provenance
    return ImageReport(
        model=provenance.model,
        model_sha256=provenance.sha256,
        device_type=provenance.device_type,
        device_name=provenance.device_name,
        precision=provenance.precision,
        tiles=0,
        tile_size="none",
        device_s=0.0,
        notes=inpainted.notes,
        source_px=source.decoded.size.pixels,
        **_common(source, spec, encode_began_s, now_s),
    )


def _common(source: Source, spec: OutputSpec, encode_began_s: float, now_s: float) -> dict[str, Any]:
    decoded, inpainted = source.decoded, source.inpainted
    by_eraser = (
        {
            "inpainted_by": inpainted.provenance.model if inpainted.area_px else None,
            "inpainted_px": inpainted.area_px,
            "inpaint_s": round(inpainted.seconds, 4),
        }
        if inpainted
        else {}
    )
    return {
        "width_px": spec.size.width,
        "height_px": spec.size.height,
        "decode_s": round(source.decode_s, 4),
        "encode_s": round(now_s - encode_began_s, 4),
        "total_s": round(now_s - source.started_s, 4),
        "not_kept": tuple(dict.fromkeys([*decoded.notes, *losses(spec, decoded.metadata)])),
        **by_eraser,
    }
