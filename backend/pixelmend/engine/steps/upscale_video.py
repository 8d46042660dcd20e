"""The step `upscale-video`: a film, segment by segment, from its file to the result's."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace

from pixelmend.core.errors import ExtraMissing
from pixelmend.core.geometry import Size
from pixelmend.core.version import VERSION
from pixelmend.engine.device_loop import DeviceLoop
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.open_models import OpenModel
from pixelmend.engine.steps.plan import lease_model, plan_tiles_of
from pixelmend.engine.steps.report import record_of
from pixelmend.engine.steps.work import PipelineLimits, Work
from pixelmend.tasks.image import ImageReport
from pixelmend.tasks.upscale_video import AUTO, VideoOptions, even, stored_target
from pixelmend.video.codecs import codec_named
from pixelmend.video.header import VideoLimits, check_header
from pixelmend.video.parts import PartsFolder, SegmentRecord
from pixelmend.video.probe_child import INSTALL_HINT
from pixelmend.video.timeline import plan_segments


class UpscaleVideoStep:
    """Finished segments are kept in the task's folder, from which a task that was interrupted goes on."""

    def __init__(
        self, cache: ModelCache, loop: DeviceLoop, limits: PipelineLimits, video: VideoLimits
    ) -> None:
        self._cache = cache
        self._loop = loop
        self._limits = limits
        self._video = video

    def __call__(self, work: Work) -> None:
        try:
            # FFmpeg's libraries are an extra, and load when they are needed.
            from pixelmend.engine.film_output import FilmJob
            from pixelmend.engine.film_run import FilmRun, film_parts
        except ImportError as error:
            raise ExtraMissing(INSTALL_HINT) from error
        task = work.task
        upscale = task.options.upscale
        assert upscale is not None, "a task with this step has options for it"
        video = VideoOptions.of(task.options)
        film, timeline = film_parts(task.input_path, video.start_s, video.seconds)
        header = replace(film.header, frames=len(timeline), seconds=timeline.seconds)
        check_header(header, self._video)
        model = lease_model(work, self._cache, sixteen_bit=header.bits > 8)
        target = stored_target(upscale.target, header)
        part = target.part_of(header.size)
        size = even(target.size_for(part.size, model.model.scale, self._limits.max_output_pixels))
        plan = plan_tiles_of(work, model, part.size, self._limits.tile_px)
        folder = PartsFolder(
            task.parts_path or task.output_path.with_name(f".{task.output_path.name}.parts"),
            _fingerprint(work, model, header.to_json()),
        )
        job = FilmJob(
            path=task.input_path,
            film=film,
            timeline=timeline,
            model=model,
            plan=plan,
            margin_px=upscale.margin_px,
            part=part,
            size=size,
            codec=None if video.codec == AUTO else codec_named(video.codec),
            quality=task.options.quality,
            encoder=video.encoder,
            deinterlace=header.is_interlaced and video.deinterlace == "auto",
            calm=video.calm,
        )
        run = FilmRun(work, job, self._loop, folder, self._limits)
        records = run.segments(plan_segments(timeline))
        comment = record_of(work).to_json() if self._limits.record_results else None
        began_s = time.perf_counter()
        not_kept = run.join(records, video.start_s if video.is_part else None, comment)
        work.encode_s += time.perf_counter() - began_s
        planned = run.planned_notes()
        notes = (*planned, *run.fallback_notes(records))
        report = _report(work, model, size, records, not_kept)
        work.report = replace(report, notes=notes, planned=planned)
        folder.remove()


def _report(
    work: Work,
    model: OpenModel,
    size: Size,
    records: Sequence[SegmentRecord],
    not_kept: tuple[str, ...],
) -> ImageReport:
    assert work.plan is not None
    computed = sum(record.computed_tiles for record in records)
    frames = sum(len(record.pts) for record in records)
    return ImageReport(
        model=model.model.id,
        model_sha256=model.model.sha256,
        device_type=model.network.device.type,
        device_name=model.network.device.name,
        precision=model.network.precision,
        width_px=size.width,
        height_px=size.height,
        tiles=computed,
        tile_size=str(work.plan.tile),
        decode_s=round(work.decode_s, 4),
        device_s=round(sum(record.device_s for record in records), 4),
        encode_s=round(work.encode_s, 4),
        total_s=round(time.perf_counter() - work.started_s, 4),
        not_kept=not_kept,
        notes=(),
        source_px=frames * work.plan.size.pixels,
        computed_px=computed * work.plan.tile.pixels,
        frames=frames,
        reused_tiles=sum(record.reused_tiles for record in records),
    )


def _fingerprint(work: Work, model: OpenModel, header: object) -> str:
    task = work.task
    parts = [VERSION, model.model.sha256, repr(task.options), header, str(work.plan)]
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
