"""The engine worker: a process that owns one device, its models and its memory.

Started by the supervisor as `python -m pixelmend.worker.process FD`; the only place in `serving` that
imports the engine.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from pixelmend.core.config import Settings
from pixelmend.core.errors import PixelmendError
from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.engine.devices.device import choose_device
from pixelmend.engine.devices.memory import HostMemory
from pixelmend.engine.factory import build_model_cache, build_pipeline, open_memory_profiles
from pixelmend.engine.management import apply_settings, monitored_rules
from pixelmend.engine.model_cache.cache import ModelCache
from pixelmend.engine.model_cache.freeing import MemoryFreer
from pixelmend.engine.model_cache.profiles import ProfilePreloader, wanted_at_start
from pixelmend.engine.monitoring.monitor import MemoryMonitor
from pixelmend.engine.monitoring.sensors import sensors_of
from pixelmend.engine.pipeline import Pipeline
from pixelmend.engine.steps.work import Step
from pixelmend.imaging.formats import FormatRegistry, format_registry
from pixelmend.imaging.formats.bare_tiff import BARE_TIFF
from pixelmend.models.catalog import load_catalog
from pixelmend.models.description import DeviceDescription
from pixelmend.models.hooks import Hooks, load_hooks
from pixelmend.worker.command_executor import CommandExecutor
from pixelmend.worker.listener import PipeListener, RecoveryReporter
from pixelmend.worker.protocol import (
    Cancel,
    CommandRequest,
    Configure,
    Heartbeat,
    Manage,
    Ready,
    Shutdown,
    StartFailed,
    Submit,
    ToWorker,
    WorkerEnd,
)

HEARTBEAT_PERIOD_S = 1.0


@dataclass(frozen=True, slots=True)
class Extensions:
    """What a worker knows beyond the package. steps: by their names. formats: None for the package's own."""

    formats: FormatRegistry | None = None
    steps: Mapping[str, Step] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Engine:
    settings: Settings
    cache: ModelCache
    pipeline: Pipeline
    listener: PipeListener
    command_executor: CommandExecutor
    monitor: MemoryMonitor


def main(fd: int) -> int:
    # The supervisor decides when a worker ends: Ctrl-C in a terminal and systemd's SIGTERM reach every
    # process at once, and work that was accepted would be lost while the service drains.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # OpenVINO does without its tools for conversion, which take longer to import than it does.
    sys.modules["openvino.tools.ovc"] = None  # type: ignore[assignment]
    end = WorkerEnd(socket.socket(fileno=fd))
    messages = end.messages()
    first = next(messages, None)
    if not isinstance(first, Configure):
        return 2
    settings = first.settings
    log_sink = configure_logging(settings.log_level, settings.log_format)
    log = Logger(process="worker", pid=os.getpid())

    def leave() -> None:
        # The API process is gone, and no client waits for results: end at once, whatever the device is doing.
        log_sink.close()
        os._exit(4)

    try:
        return work(end, messages, settings, log, leave)
    except Exception:
        # Not left to the interpreter, which writes past the log and could wait for its reader for ever.
        log.exception("a bug ends the worker")
        return 1
    finally:
        log_sink.close()


def work(
    end: WorkerEnd,
    messages: Iterator[ToWorker],
    settings: Settings,
    log: Logger,
    leave: Callable[[], None],
    extensions: Extensions | None = None,
) -> int:
    """Until a `Shutdown` arrives; returns the exit status. leave: called when the other end is gone."""
    try:
        engine = _build(end, settings, log, extensions or Extensions())
    except PixelmendError as error:
        log.error("the worker cannot start", code=error.code, reason=error.message)
        end.send(StartFailed(error.code, error.message))
        return 3
    stop = threading.Event()

    def lost() -> None:
        if not stop.is_set():
            leave()
            stop.set()
            engine.pipeline.wake()

    threading.Thread(
        target=_read, args=(messages, engine, stop, log, lost), name="inbox", daemon=True
    ).start()
    threading.Thread(
        target=_beat, args=(end, engine.pipeline, stop, lost), name="heartbeat", daemon=True
    ).start()
    end.send(_ready(engine, settings, log))
    names = (settings.device, engine.cache.device.torch_name)
    engine.command_executor.preload(wanted_at_start(settings.profiles, names))
    monitor = threading.Thread(
        target=engine.monitor.run,
        args=(stop,),
        name="monitor",
        daemon=True,  # if the device loop fails, the process ends, to be started again
    )
    monitor.start()
    engine.pipeline.run(stop)
    engine.monitor.wake()
    monitor.join()  # it keeps what was learned
    return 0


def _build(end: WorkerEnd, settings: Settings, log: Logger, extensions: Extensions) -> _Engine:
    # The service does not offer that format; the Python library takes its arrays back in it.
    formats = extensions.formats or format_registry([BARE_TIFF])
    device = choose_device(settings.device)
    log.info("device chosen", device=device.type, name=device.name, note=device.note)
    learned = open_memory_profiles(settings, device, log)
    hooks = Hooks(load_hooks(settings.hooks, log), log)
    cache = build_model_cache(settings, device, log, learned, Hooks([hooks, RecoveryReporter(end)], log))
    listener = PipeListener(end, cache.describe, log, hooks)
    monitor = MemoryMonitor(
        cache,
        learned,
        sensors_of(device),
        HostMemory(),
        monitored_rules(settings),
        settings.memory_monitoring_interval,
        listener,
        log,
    )
    return _Engine(
        settings,
        cache,
        build_pipeline(settings, cache, listener, formats=formats, more_steps=extensions.steps),
        listener,
        CommandExecutor(
            cache, MemoryFreer(cache), ProfilePreloader(cache), end.send, listener.models_changed, log
        ),
        monitor,
    )


def _ready(engine: _Engine, settings: Settings, log: Logger) -> Ready:
    """Open the default model; a service whose default is broken still serves the other models."""
    problem: str | None = None
    try:
        engine.pipeline.preload(settings.default_model)
    except PixelmendError as error:
        problem = error.message
        log.error("the default model cannot be used", model=settings.default_model, reason=problem)
    engine.listener.models_changed()
    for sentence in load_catalog(settings.models_dir).passed_over:
        log.warning("model files are passed over", reason=sentence)
    device = engine.cache.device
    return Ready(
        DeviceDescription(device.type, device.name, device.total_bytes, device.note, device.torch_name),
        problem,
    )


def _read(
    messages: Iterator[ToWorker],
    engine: _Engine,
    stop: threading.Event,
    log: Logger,
    lost: Callable[[], None],
) -> None:
    try:
        _follow(messages, engine, stop, log)
    except Exception:
        # A worker that beats and hears nothing would be given work for ever.
        log.exception("a bug ends the worker's inbox")
    lost()


def _follow(messages: Iterator[ToWorker], engine: _Engine, stop: threading.Event, log: Logger) -> None:
    for message in messages:
        match message:
            case Submit(task=task, request_id=request_id):
                engine.listener.accepted(task.id, request_id)
                engine.pipeline.submit(task)
            case Cancel(task_id=task_id):
                engine.pipeline.cancel(task_id)
            case CommandRequest():
                engine.command_executor.take(message)
            case Manage(management=management):
                log.info("settings changed", **asdict(management))
                apply_settings(management.in_settings(engine.settings), engine.cache, engine.monitor)
            case Shutdown():
                stop.set()
                engine.pipeline.wake()
                return
            case Configure():
                pass  # only the first one counts


def _beat(end: WorkerEnd, pipeline: Pipeline, stop: threading.Event, lost: Callable[[], None]) -> None:
    while not stop.is_set():
        try:
            end.send(Heartbeat(round(pipeline.step_age_s, 3)))
        except OSError:
            lost()
            return
        stop.wait(HEARTBEAT_PERIOD_S)


if __name__ == "__main__":
    status = main(int(sys.argv[1]))
    sys.stdout.flush()
    sys.stderr.flush()
    # All threads that keep something have ended. Taking the libraries apart would last another half second;
    # the kernel does it as well.
    os._exit(status)
