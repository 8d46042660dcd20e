"""From arrays to an engine and back: what `Upscaler` and `Inpainter` have in common."""

import os
import threading
import uuid
import weakref
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from types import TracebackType
from typing import Any, Literal, Self

from numpy.typing import NDArray

from pixelmend.core.config import Settings
from pixelmend.core.geometry import Size
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.bare_tiff import read_array, write_array
from pixelmend.imaging.canvas import Pixels
from pixelmend.imaging.formats.bare_tiff import BARE_TIFF
from pixelmend.imaging.probe import input_limits
from pixelmend.library.arrays import as_mask, as_pixels, like
from pixelmend.library.calls import Call, Engine, OnProgress
from pixelmend.library.child import ChildEngine
from pixelmend.library.errors import as_invalid_arguments
from pixelmend.library.hooks import names_and_objects
from pixelmend.library.model_files import folder_with, id_of, named_file
from pixelmend.library.settings import library_settings
from pixelmend.library.spool import Spool
from pixelmend.models.catalog import Catalog, load_catalog
from pixelmend.models.hooks import Hooks
from pixelmend.tasks.form import DefaultModels, parse_fields
from pixelmend.tasks.image import ImageReport, ImageTask
from pixelmend.tasks.options import ImageOptions
from pixelmend.tasks.task import Task

LOGGER_NAME = "pixelmend"
"""The logger in Python's own `logging`. What the engine's process logs goes to its standard error."""


class ArrayProcessor:
    """An engine, and the folder in which arrays cross to it. Several threads may call it at one time."""

    def __init__(
        self,
        task: Task,
        model: str | PathLike[str] | None,
        *,
        default_of: Literal["default_model", "default_inpaint_model"],
        in_process: bool,
        hooks: Sequence[object],
        **given: Any,
    ) -> None:
        """model: an id, or a file. default_of: the setting that names the task's model if no call does.
        given: settings by their names; None for one that is not given.

        Raises InvalidArgument, UnknownModel, ModelUnusable.
        """
        self._task = task
        self._spool = spool = Spool()
        try:
            file = None if model is None else named_file(model)
            if file is not None:
                model = id_of(file)
                given["models_dir"] = folder_with(spool.path / "models", model, file)
            self._model = None if model is None else os.fspath(model)
            given[default_of] = self._model
            with as_invalid_arguments():
                names, objects = names_and_objects(hooks, in_process=in_process)
            self._settings = settings = library_settings(spool.path, names, **given)
            self._limits = input_limits(settings)
            self._at_once = threading.BoundedSemaphore(settings.worker_jobs)
            with as_invalid_arguments():
                self._check_models()
                self._engine = engine = _open_engine(settings, objects, in_process=in_process)
        except BaseException:
            spool.remove()
            raise
        self._process_id = os.getpid()
        self._finalizer = weakref.finalize(self, _abandon, engine, spool, self._process_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the engine and remove its files; calls that other threads are waiting for fail with Cancelled.
        Does nothing a second time.
        """
        if self._finalizer.detach() is not None:
            try:
                self._engine.close()
            finally:
                self._spool.remove()

    def _process(
        self,
        image: NDArray[Any],
        mask: NDArray[Any] | None,
        fields: Mapping[str, Any],
        on_progress: OnProgress | None,
    ) -> tuple[NDArray[Any], ImageReport]:
        """fields: of the task's form. Raises InvalidArgument, and what the work fails with."""
        pixels = as_pixels(image, "image", self._limits)
        mask_pixels = None if mask is None else as_mask(mask, self._limits)
        with as_invalid_arguments():
            options = self._options(fields)
            self._check(options, Size(pixels.shape[1], pixels.shape[0]))
        with self._at_once:
            result, report = self._compute(pixels, mask_pixels, options, on_progress)
        return like(image, result), report

    def _options(self, fields: Mapping[str, Any]) -> ImageOptions:
        form = parse_fields(self._task.form, {"model": self._model, **fields})
        settings = self._settings
        defaults = DefaultModels(settings.default_model, settings.default_inpaint_model, self._catalog())
        return form.options(defaults, BARE_TIFF.name)

    def _check(self, options: ImageOptions, size: Size) -> None:
        """What can be refused before the engine has the image."""
        catalog = self._catalog()
        self._task.check(options, catalog)
        if options.upscale is None or catalog.get(options.upscale.model).scale is not None:
            scale = self._task.scale(options, catalog, None)
            self._task.result_size(options, size, scale, self._settings.max_output_pixels)

    def _check_models(self) -> None:
        """The default models are there; others may be wanted by calls."""
        self._task.check(self._options({}), self._catalog())

    def _catalog(self) -> Catalog:
        return load_catalog(self._settings.models_dir)

    def _compute(
        self, pixels: Pixels, mask: Pixels | None, options: ImageOptions, on_progress: OnProgress | None
    ) -> tuple[Pixels, ImageReport]:
        self._require_open()
        task_id = uuid.uuid4().hex
        folder = self._spool.folder(task_id)
        source, result = folder.path / "image.tif", folder.path / "result.tif"
        mask_path = None if mask is None else folder.path / "mask.tif"
        is_over = False
        try:
            try:
                write_array(source, pixels)
                if mask is not None and mask_path is not None:
                    write_array(mask_path, mask)
            except BaseException:
                folder.release()  # no engine has it
                raise
            steps = self._task.steps(options)
            call = Call(folder)
            self._engine.submit(ImageTask(task_id, source, result, options, steps, mask_path), call)
            with as_invalid_arguments():
                report = call.wait(on_progress)
            is_over = True
            size = Size(report.width_px, report.height_px)
            return read_array(result, size, pixels.shape[2], pixels.dtype.itemsize * 8), report
        finally:
            if not is_over:
                self._engine.cancel(task_id)
            folder.release()

    def _require_open(self) -> None:
        if not self._finalizer.alive:
            raise RuntimeError(f"this {type(self).__name__} is closed")
        if os.getpid() != self._process_id:
            raise RuntimeError(
                f"this {type(self).__name__} was made by process {self._process_id}, and this is another "
                "one, forked from it; make one here"
            )


def _open_engine(settings: Settings, hooks: Sequence[object], *, in_process: bool) -> Engine:
    log = Logger.over(LOGGER_NAME)
    if not in_process:
        return ChildEngine(settings, log, Hooks(hooks, log))
    from pixelmend.engine.in_process import InProcessEngine

    # In a thread of its own, because it turns gradients off for the thread that opens it.
    with ThreadPoolExecutor(1) as opener:
        return opener.submit(InProcessEngine, settings, log, hooks).result()


def _abandon(engine: Engine, spool: Spool, process_id: int) -> None:
    if os.getpid() == process_id:  # a fork has neither the engine nor the folder
        engine.abandon()
        spool.remove()
