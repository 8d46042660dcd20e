"""`pixelmend check`: is everything there and does it compute? In plain words, with what to do about it."""

import asyncio
import math
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from PIL import Image

from pixelmend.cli.files import FileJob
from pixelmend.cli.finding import Finding
from pixelmend.cli.hardware import Host, unused_hardware
from pixelmend.cli.local import LocalEngine, local_engine
from pixelmend.cli.request import Request
from pixelmend.core.config import Settings
from pixelmend.core.errors import PixelmendError
from pixelmend.core.telemetry import Logger
from pixelmend.imaging.formats import PNG
from pixelmend.models.catalog import load_catalog
from pixelmend.models.integrity import verify_file
from pixelmend.models.missing_libraries import ADDED_BY
from pixelmend.tasks.upscale import UpscaleTask

SELF_TEST_SIDE_PX = 96
MIN_SELF_TEST_PSNR_DB = 30.0
"""The output of a sound model, reduced again, is this close to its (smooth) original; 40 dB is usual."""
_NEEDED = ("ncnn", "pyvips", "isal", "fastapi")
_OPTIONAL = ("torch", "torchvision", "spandrel", "onnxruntime")


def check(settings: Settings) -> list[Finding]:
    needed = packages(needs_openvino(platform.machine(), sys.platform))
    findings = [_python(), *needed, *_models(settings), *_disk(settings)]
    return [*findings, *asyncio.run(_engine(settings))]


def _python() -> Finding:
    text = f"Python {platform.python_version()} on {platform.platform()}"
    return Finding(sys.version_info >= (3, 11), text, "install Python 3.11 or newer")


def needs_openvino(machine: str, system: str) -> bool:
    """What requirements/base.in says. machine: as by ``platform.machine``, system: as by ``sys.platform``."""
    return (machine == "x86_64" and system != "darwin") or machine == "AMD64"


def packages(with_openvino: bool, version_of: Callable[[str], str] = version) -> list[Finding]:
    """with_openvino: whether that is needed. version_of: raises PackageNotFoundError for what is absent."""
    findings, left_out = [], []
    needed = ("openvino", *_NEEDED) if with_openvino else _NEEDED
    for name in (*needed, *_OPTIONAL):
        try:
            findings.append(Finding(None, f"{name} {version_of(name)}"))
        except PackageNotFoundError:
            if name in needed:
                fix = "install it again: `make run` in a checkout, else by pip"
                findings.append(Finding(False, f"{name} is missing", fix))
            else:
                left_out.append(name)
    if left_out:
        what = f"{', '.join(left_out)}: not installed; networks other than Compact and RRDBNet need them"
        findings.append(Finding(None, what, ADDED_BY))
    return findings


def _models(settings: Settings) -> list[Finding]:
    catalog = load_catalog(settings.models_dir)
    findings = [Finding(False, sentence, "see the models directory") for sentence in catalog.passed_over]
    for entry in catalog.entries:
        if not entry.present:
            findings.append(Finding(None, f"model {entry.id}: not here (would lie at {entry.path})"))
            continue
        try:
            verify_file(entry.path, entry.sha256)
        except PixelmendError as error:
            findings.append(Finding(False, f"model {entry.id}: {error.message}", "replace the file"))
        else:
            checked = "checksum right" if entry.sha256 else "no checksum known"
            findings.append(Finding(True, f"model {entry.id}: {entry.path.name}, {checked}"))
    if settings.default_model not in {e.id for e in catalog.entries if e.present}:
        findings.append(
            Finding(
                False,
                f"the default model {settings.default_model!r} is not here",
                "set PIXELMEND_DEFAULT_MODEL to one that is",
            )
        )
    return findings


def _disk(settings: Settings) -> list[Finding]:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.data_dir):
            free = shutil.disk_usage(settings.data_dir).free
    except OSError as error:
        return [
            Finding(
                False,
                f"{settings.data_dir} cannot be written: {error.strerror}",
                "set PIXELMEND_DATA_DIR to a folder of yours",
            )
        ]
    enough = free >= settings.min_free_disk_bytes
    return [
        Finding(
            enough,
            f"{settings.data_dir}: {free / 1e9:.1f} GB free",
            f"make room: {settings.min_free_disk_bytes} bytes must stay free",
        )
    ]


async def _engine(settings: Settings) -> list[Finding]:
    async with local_engine(settings, Logger(process="check")) as engine:
        try:
            status = await engine.wait_until_ready()
        except PixelmendError as error:
            return [Finding(False, error.message, "set PIXELMEND_DEVICE to a device this machine has")]
        assert status.device is not None
        device = status.device
        findings = [
            Finding(
                device.note is None,
                f"device {device.type}: {device.name}, {device.total_bytes / 2**30:.1f} GiB"
                + (f" - {device.note}" if device.note else ""),
                "install a driver that fits this PyTorch, or set PIXELMEND_DEVICE=cpu to accept it",
            )
        ]
        findings += unused_hardware(Host(), device.type, settings.precision)
        if status.problem:
            findings.append(Finding(False, status.problem, "if its file is damaged, replace it"))
        findings.append(await _self_test(engine, settings))
        return findings


async def _self_test(engine: LocalEngine, settings: Settings) -> Finding:
    """Upscale a smooth picture; reduced again, it must look as before."""
    side = SELF_TEST_SIDE_PX
    y, x = np.mgrid[0:side, 0:side] / side
    waves = np.stack([np.sin(6 * x + 2 * y), np.cos(5 * y), np.sin(4 * (x + y))], axis=-1)
    picture = Image.fromarray((127.5 + 100 * waves).astype(np.uint8))
    with tempfile.TemporaryDirectory() as folder:
        file = FileJob(Path(folder) / "in.png", Path(folder) / "out.png")
        picture.save(file.source)
        request = Request.here(UpscaleTask(), {"model": settings.default_model}, PNG, settings)
        outcome = await engine.process(file, request, lambda _, __: None)
        if outcome.report is None:
            reason = outcome.error.message if outcome.error else "no result"
            return Finding(False, f"self-test: {reason}", "see the log lines above")
        with Image.open(file.result) as result:
            back = result.convert("RGB").resize((side, side), Image.Resampling.BOX)
    error = float(np.mean((np.asarray(back, np.float64) - np.asarray(picture, np.float64)) ** 2))
    psnr_db = 10 * math.log10(255**2 / max(error, 1e-9))
    report = outcome.report
    text = f"self-test: {report.width_px}x{report.height_px} in {report.precision}, {psnr_db:.0f} dB"
    return Finding(
        psnr_db >= MIN_SELF_TEST_PSNR_DB,
        text + "".join(f" - {note}" for note in report.notes),
        "the device computes wrong values: set PIXELMEND_PRECISION=float32, or PIXELMEND_DEVICE=cpu",
    )
