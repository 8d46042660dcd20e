"""The report of a finished task, and the record that its result carries."""

import time

from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.inpainting.inpainter import Provenance
from pixelmend.engine.steps.work import Work
from pixelmend.imaging.formats import losses
from pixelmend.models.integrity import sha256_of
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.record import ModelUse, ResultRecord


def report_of(work: Work) -> ImageReport:
    decoded, inpainted, job, spec = work.decoded, work.inpainted, work.job, work.spec
    assert spec is not None, "the step `encode` knows the result"
    provenance = _provenance(work)
    return ImageReport(
        model=provenance.model,
        model_sha256=provenance.sha256,
        device_type=provenance.device_type,
        device_name=provenance.device_name,
        precision=provenance.precision,
        width_px=spec.size.width,
        height_px=spec.size.height,
        tiles=0 if job is None else len(job.plan),
        tile_size="none" if job is None else str(job.plan.tile),
        decode_s=round(work.decode_s, 4),
        device_s=0.0 if job is None else round(job.device_s, 4),
        encode_s=round(work.encode_s, 4),
        total_s=round(time.perf_counter() - work.started_s, 4),
        not_kept=tuple(dict.fromkeys([*decoded.notes, *losses(spec, decoded.metadata)])),
        notes=tuple(_notes(work)),
        source_px=decoded.size.pixels,
        computed_px=0 if job is None else len(job.plan) * job.plan.tile.pixels * job.planes_per_tile,
        inpainted_by=inpainted.provenance.model if inpainted is not None and inpainted.area_px else None,
        inpainted_px=0 if inpainted is None else inpainted.area_px,
        inpaint_s=0.0 if inpainted is None else round(inpainted.seconds, 4),
    )


def record_of(work: Work) -> ResultRecord:
    """Known when the result is begun. Reads the files that were sent once more, for their checksums."""
    task, made_by = work.task, _provenance(work)
    models = {made_by.model: made_by.sha256}
    if work.inpainted is not None:
        models[work.inpainted.provenance.model] = work.inpainted.provenance.sha256
    return ResultRecord(
        steps=task.steps,
        options=task.options,
        models=tuple(ModelUse(name, sha256) for name, sha256 in models.items() if name),
        precision=made_by.precision,
        device=made_by.device_type,
        tile="none" if work.plan is None else str(work.plan.tile),
        source_sha256=sha256_of(task.input_path),
        mask_sha256=None if task.mask_path is None else sha256_of(task.mask_path),
    )


def _provenance(work: Work) -> Provenance:
    """With what the result was computed: the model of its tiles, else the one that filled holes."""
    if work.model is not None:
        opened, device = work.model, work.model.network.device
        return Provenance(
            opened.model.id, opened.model.sha256, device.type, device.name, opened.network.precision
        )
    if work.inpainted is not None:
        return work.inpainted.provenance
    return Provenance(work.task.options.main_model, "", "cpu", cpu_device().name, "none")


def _notes(work: Work) -> list[str]:
    notes = [] if work.inpainted is None else list(work.inpainted.notes)
    if work.model is not None and work.job is not None:
        notes += [work.model.note] if work.model.note else []
        notes += work.job.notes
        if work.model.model.architecture.needs_global_context and len(work.job.plan) > 1:
            notes.append(f"{work.model.model.id} is made for whole images; its tiles may differ in tone")
    return notes
