"""What the routers need, assembled in one place."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pixelmend.api.auth import Callers
from pixelmend.api.errors import problem_body
from pixelmend.api.gauges import gauges
from pixelmend.api.schemas import Problem
from pixelmend.api.tracing import open_traces
from pixelmend.api.views import job_view, manifest, media_type_of, with_deliveries
from pixelmend.core.config import Settings
from pixelmend.core.errors import PixelmendError
from pixelmend.core.outbound import Outbound
from pixelmend.core.private_paths import PrivatePaths
from pixelmend.core.telemetry import Logger
from pixelmend.core.traces import Traces
from pixelmend.imaging.formats import FormatRegistry, format_registry
from pixelmend.jobs.alert_webhook import AlertWebhook
from pixelmend.jobs.deliveries import Deliveries
from pixelmend.jobs.delivery_rows import DeliveryKind
from pixelmend.jobs.job_spans import job_span
from pixelmend.jobs.job_webhooks import WebhookSender, webhook_secret
from pixelmend.jobs.metrics import Metrics
from pixelmend.jobs.model import JobRecord
from pixelmend.jobs.readiness import Readiness
from pixelmend.jobs.result_puts import ResultSender
from pixelmend.jobs.scheduler import Scheduler
from pixelmend.jobs.service import JobService
from pixelmend.jobs.spool import Spool
from pixelmend.jobs.store import JobStore
from pixelmend.jobs.throughput import ThroughputEstimator
from pixelmend.models.background_downloads import Downloads
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.models.description import ModelDescription
from pixelmend.models.profiles import ProfileStore
from pixelmend.tasks.form import DefaultModels
from pixelmend.tasks.recipes import Recipes
from pixelmend.tasks.registry import TaskRegistry, task_registry
from pixelmend.video.header import video_limits
from pixelmend.video.probe import VideoProber
from pixelmend.worker.choice import chosen_pool
from pixelmend.worker.management import MemoryManagement
from pixelmend.worker.pool import WorkerPool
from pixelmend.worker.spawning import Spawn, spawn


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    spool: Spool
    workers: WorkerPool
    management: MemoryManagement
    profiles: ProfileStore
    scheduler: Scheduler
    readiness: Readiness
    jobs: JobService
    downloads: Downloads
    callers: Callers
    metrics: Metrics
    log: Logger
    paths: PrivatePaths
    tasks: TaskRegistry
    formats: FormatRegistry
    videos: VideoProber
    recipes: Recipes
    fetching: Outbound
    deliveries: Deliveries
    traces: Traces | None

    @property
    def catalog(self) -> Catalog:
        """Read each time, so that a dropped-in file counts at once."""
        return load_catalog(self.settings.models_dir)

    @property
    def default_models(self) -> DefaultModels:
        return DefaultModels(self.settings.default_model, self.settings.default_inpaint_model, self.catalog)

    def problem_body(self, error: PixelmendError) -> Problem:
        """As part of another answer; it names no folder of the service."""
        body = problem_body(error, None)
        return body.model_copy(update={"detail": self.paths.hidden(body.detail)})

    def loaded_model(self, model_id: str) -> ModelDescription | None:
        for model in self.workers.status().models:
            if model.id == model_id:
                return model
        return None


def _make_private(folder: Path) -> None:
    """Uploads, results and the job database are for this user alone."""
    # It may be another user's, as a mounted volume is. What cannot be used at all is said by the spool.
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(folder.stat().st_mode & 0o700)


@contextlib.contextmanager
def _held_file(jobs: JobService, record: JobRecord) -> Iterator[Path | None]:
    lease = jobs.lease(record)
    try:
        yield jobs.result_file(record)
    finally:
        lease.release()


def build_service(
    settings: Settings,
    log: Logger,
    dropped_lines: Callable[[], int] = lambda: 0,
    spawn: Spawn = spawn,
    tasks: TaskRegistry | None = None,
    formats: FormatRegistry | None = None,
    fetching: Outbound | None = None,
    telling: Outbound | None = None,
    putting: Outbound | None = None,
) -> Service:
    """The data directory is taken; nothing is started yet, which the application does on its event loop.

    dropped_lines: of the log, so far. spawn: starts a worker. tasks, formats: None for the built-in ones.
    fetching, telling, putting: which addresses files come from, which are told of ends, and which get
    results; None for what the settings allow. Raises DataDirectoryInUse, DataDirectoryNewer, and
    InvalidParameter for a setting that is not readable.
    """
    callers, secret = Callers(settings, log), webhook_secret(settings)
    tasks, formats = tasks or task_registry(), formats or format_registry()
    catalog = load_catalog(settings.models_dir)
    defaults = DefaultModels(settings.default_model, settings.default_inpaint_model, catalog)
    recipes = Recipes.of(settings.recipes, tasks, defaults)
    _make_private(settings.data_dir)
    suffixes = [each.suffix for each in tasks.outputs(formats)]
    spool = Spool(settings.data_dir / "spool", settings.min_free_disk_bytes, suffixes)
    webhook = AlertWebhook(settings.alert_webhook.get_secret_value(), log)
    profiles = ProfileStore(settings.data_dir / "profiles.json", settings.profiles, log)
    for_workers = settings.model_copy(update={"profiles": profiles.all})
    workers = chosen_pool(for_workers, log, webhook.tell, spawn)
    throughput = ThroughputEstimator()
    scheduler = Scheduler(settings, workers, throughput, log, spool.remove_late)
    store = JobStore(settings.data_dir / "jobs.db", log)
    metrics = Metrics()
    traces = open_traces(os.environ, settings.instance, log)

    def note_end(record: JobRecord) -> None:
        metrics.job_ended(record)
        if record.report is not None:
            throughput.learn(record.report, record.options.format)
        if traces is not None:
            traces.add(job_span(record), record.traceparent)

    jobs = JobService(settings, spool, store, scheduler, throughput, note_end, tasks, formats, manifest, log)

    async def told_of(record: JobRecord) -> bytes:
        view = job_view(jobs.snapshot(record), tasks, formats)
        return with_deliveries(view, await deliveries.of(record.id)).model_dump_json().encode()

    deliveries = Deliveries(
        store,
        {
            DeliveryKind.WEBHOOK: WebhookSender(
                telling or Outbound(settings.webhook_hosts, "PIXELMEND_WEBHOOK_HOSTS"), secret, told_of
            ),
            DeliveryKind.RESULT: ResultSender(
                putting or Outbound(settings.result_hosts, "PIXELMEND_RESULT_HOSTS"),
                partial(_held_file, jobs),
                lambda record: media_type_of(record, tasks, formats),
            ),
        },
        log,
    )
    paths = PrivatePaths(settings)
    readiness = Readiness(settings.default_model, spool, workers, scheduler, store, jobs.sweeper, paths)
    metrics.watch(partial(gauges, spool, workers, scheduler, readiness, dropped_lines))
    downloads = Downloads(partial(load_catalog, settings.models_dir), settings.model_mirror, log)
    return Service(
        settings,
        spool,
        workers,
        MemoryManagement(settings, workers),
        profiles,
        scheduler,
        readiness,
        jobs,
        downloads,
        callers,
        metrics,
        log,
        paths,
        tasks,
        formats,
        VideoProber(video_limits(settings)),
        recipes,
        fetching or Outbound(settings.fetch_hosts, "PIXELMEND_FETCH_HOSTS"),
        deliveries,
        traces,
    )
