"""What the routers need, put together in one place and handed to them."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pixelmend.config import Settings
from pixelmend.errors import PixelmendError
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.serving.desk import JobDesk
from pixelmend.serving.downloads import Downloads
from pixelmend.serving.gauges import gauges
from pixelmend.serving.journal import Journal
from pixelmend.serving.metrics import Metrics
from pixelmend.serving.places import Places
from pixelmend.serving.readiness import Readiness
from pixelmend.serving.scheduler import Scheduler
from pixelmend.serving.spawning import Spawn, spawn
from pixelmend.serving.store import Spool
from pixelmend.serving.supervisor import Supervisor
from pixelmend.serving.webhook import AlertWebhook
from pixelmend.serving.workers import Workers
from pixelmend.tasks import ModelDescription
from pixelmend.telemetry import Logger
from pixelmend.web.callers import Callers
from pixelmend.web.errors import problem_body
from pixelmend.web.forms import DefaultModels
from pixelmend.web.schemas import Problem
from pixelmend.web.views import manifest


@dataclass(frozen=True, slots=True)
class Service:
    settings: Settings
    spool: Spool
    workers: Workers
    scheduler: Scheduler
    readiness: Readiness
    desk: JobDesk
    downloads: Downloads
    callers: Callers
    metrics: Metrics
    log: Logger
    places: Places

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
        return body.model_copy(update={"detail": self.places.hidden(body.detail)})

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


def build_service(
    settings: Settings, log: Logger, dropped_lines: Callable[[], int] = lambda: 0, spawn: Spawn = spawn
) -> Service:
    """The data directory is taken; nothing is started yet, which the application does on its event loop.

    dropped_lines: of the log, so far. spawn: starts a worker. Raises DataDirectoryInUse, DataDirectoryNewer,
    and InvalidParameter for a setting that is not readable.
    """
    callers = Callers(settings)
    _make_private(settings.data_dir)
    spool = Spool(settings.data_dir / "spool", settings.min_free_disk_bytes)
    webhook = AlertWebhook(settings.alert_webhook.get_secret_value(), log)
    workers = Workers([Supervisor(own, log, webhook.tell, spawn) for own in settings.for_each_device()])
    scheduler = Scheduler(settings, workers, log, spool.remove_results)
    journal = Journal(settings.data_dir / "jobs.db", log)
    metrics = Metrics()
    desk = JobDesk(settings, spool, journal, scheduler, metrics, manifest, log)
    places = Places(settings)
    readiness = Readiness(settings.default_model, spool, workers, scheduler, journal, desk.sweeper, places)
    metrics.watch(partial(gauges, spool, workers, scheduler, readiness, dropped_lines))
    downloads = Downloads(partial(load_catalog, settings.models_dir), settings.model_mirror, log)
    return Service(
        settings,
        spool,
        workers,
        scheduler,
        readiness,
        desk,
        downloads,
        callers,
        metrics,
        log,
        places,
    )
