"""How the service is, what it is, and what it counts."""

from importlib.util import find_spec

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST as METRICS_MEDIA_TYPE

from pixelmend.api.schemas import Alive, DeviceInfo, Health, Info, Limits, Readiness, RecipeInfo, TaskInfo
from pixelmend.api.service import Service
from pixelmend.core.version import VERSION
from pixelmend.imaging.probe import input_limits


def system_router(service: Service) -> APIRouter:
    router = APIRouter(tags=["system"])

    @router.get("/livez", summary="This process answers; touches no device")
    async def livez() -> Alive:
        return Alive()

    @router.get("/readyz", summary="New work is welcome here", responses={503: {"model": Readiness}})
    async def readyz(response: Response) -> Readiness:
        reasons = service.readiness.reasons()
        response.status_code = 503 if reasons else 200
        return Readiness(ready=not reasons, reasons=reasons)

    @router.get("/api/health", summary="How the service is", responses={503: {"model": Health}})
    async def health(response: Response) -> Health:
        found = _health(service)
        response.status_code = 503 if found.status == "unhealthy" else 200
        return found

    @router.get("/api/info", summary="Version, device, formats and limits")
    async def info() -> Info:
        settings, formats = service.settings, service.formats
        return Info(
            name="pixelmend",
            version=VERSION,
            device=_device(service),
            default_model=settings.default_model,
            input_formats=list(input_limits(settings, formats).accepted or ()),
            output_formats=[f.name for f in formats.outputs],
            tasks=[
                TaskInfo(
                    name=task.name,
                    summary=task.summary,
                    takes_mask=task.takes_mask,
                    takes_video=task.takes_video,
                    available=not task.takes_video or find_spec("av") is not None,
                    fields=list(task.form.model_fields),
                )
                for task in service.tasks.tasks
            ],
            recipes=[
                RecipeInfo(name=each.name, task=each.task, fields=dict(each.fields))
                for each in service.recipes.recipes
            ],
            job_kinds=list(service.tasks.kinds),
            limits=Limits(
                max_upload_bytes=settings.max_upload_bytes,
                max_input_pixels=settings.max_input_pixels,
                max_input_side_px=settings.max_input_side_px,
                max_output_pixels=settings.max_output_pixels,
                max_video_bytes=settings.max_video_bytes,
                max_video_frames=settings.max_video_frames,
                max_video_s=settings.max_video_s,
                max_batch_items=settings.max_batch_items,
                max_batch_bytes=settings.max_batch_bytes,
                max_queue_jobs=settings.max_queue_jobs,
                request_timeout_s=settings.request_timeout_s,
            ),
        )

    @router.get(
        "/metrics",
        summary="Counts and gauges for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}, "description": "Prometheus's text format."}},
    )
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type=METRICS_MEDIA_TYPE)

    return router


def _health(service: Service) -> Health:
    worker = service.workers.status()
    queue = service.scheduler.status()
    reasons = service.readiness.reasons()
    if worker.device is not None and worker.device.note:
        reasons.append(worker.device.note)
    return Health(
        status="unhealthy" if not worker.ready else "degraded" if reasons else "healthy",
        model_loaded=service.readiness.default_model_loaded,
        device=_device(service),
        reasons=reasons,
        queued=queue.queued,
        running=queue.running,
        worker_restarts=worker.restarts,
        worker_step_age_s=worker.step_age_s,
    )


def _device(service: Service) -> DeviceInfo:
    device = service.workers.status().device
    if device is None:
        return DeviceInfo(type=None, name=None)
    return DeviceInfo(type=device.type, name=device.name, total_bytes=device.total_bytes, note=device.note)
