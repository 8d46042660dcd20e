"""Arrays in, arrays out, with a real engine in a real process."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pixelmend import InvalidArgument, Upscaler
from pixelmend.core.errors import ModelUnusable, NoWorker, UnknownModel
from pixelmend.imaging.codec import decode
from pixelmend.imaging.probe import InputLimits
from tests.library.pictures import Array, as_png, pictures

PICTURES = pictures()
LARGE = np.tile(PICTURES["rgb"], (8, 8, 1))
"""Large enough for several tiles, so that there is something to interrupt."""


@pytest.fixture(scope="module")
def upscaler() -> Iterator[Upscaler]:
    with Upscaler(device="cpu") as opened:
        yield opened


@pytest.fixture(scope="module")
def by_command(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Array]:
    """What `pixelmend upscale` makes of the same pictures."""
    folder = tmp_path_factory.mktemp("by-command")
    for name, pixels in PICTURES.items():
        as_png(pixels, folder / f"{name}.png")
    command = [sys.executable, "-m", "pixelmend.cli", "upscale", folder, "-o", folder / "out"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIXELMEND_")}
    subprocess.run(
        [*map(str, command), "--scale", "3", "--device", "cpu"], env=environment, cwd=folder, check=True
    )
    limits = InputLimits()
    return {name: decode(folder / "out" / f"{name}.png", limits).pixels for name in PICTURES}


@pytest.mark.parametrize("name", PICTURES)
def test_an_array_becomes_what_the_command_makes_of_its_file(
    upscaler: Upscaler, by_command: dict[str, Array], name: str
) -> None:
    image = PICTURES[name]
    result = upscaler.enhance(image, scale=3)
    height, width = image.shape[:2]
    assert (result.shape, result.dtype) == ((3 * height, 3 * width, *image.shape[2:]), image.dtype)
    np.testing.assert_array_equal(result.reshape(by_command[name].shape), by_command[name])


def test_computing_in_process_gives_the_same_and_leaves_the_thread_as_it_is(upscaler: Upscaler) -> None:
    torch.set_grad_enabled(True)  # another test may have left it off
    with Upscaler(device="cpu", in_process=True) as here:
        assert torch.is_grad_enabled()
        for name in ("rgb", "rgba", "grey, 16 bits"):
            np.testing.assert_array_equal(here.enhance(PICTURES[name]), upscaler.enhance(PICTURES[name]))
    with pytest.raises(RuntimeError, match="this Upscaler is closed"):
        here.enhance(PICTURES["rgb"])


def test_strides_and_byte_order_are_no_matter(upscaler: Upscaler) -> None:
    rgb, deep = PICTURES["rgb"], PICTURES["rgb, 16 bits"]
    bgr = rgb[:, :, ::-1].copy()
    expected = upscaler.enhance(rgb)
    np.testing.assert_array_equal(upscaler.enhance(bgr[:, :, ::-1]), expected)
    np.testing.assert_array_equal(upscaler.enhance(np.asfortranarray(rgb)), expected)
    every_second = np.repeat(rgb, 2, axis=1)[:, ::2]
    np.testing.assert_array_equal(upscaler.enhance(every_second), expected)
    np.testing.assert_array_equal(upscaler.enhance(deep.astype(">u2")), upscaler.enhance(deep))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((8, 8, 3), np.float32), r"image has the type float32; make it uint8, np.rint"),
        (np.zeros((8, 8, 3), np.int64), r"image has the type int64; uint8 .* and uint16 .* are taken"),
        (np.zeros((8, 8), np.bool_), r"image has the type bool"),
        (np.zeros((8, 8, 5), np.uint8), r"image has the shape \(8, 8, 5\); it has to be \(H, W\)"),
        (np.zeros((2, 8, 8, 3), np.uint8), r"image has the shape \(2, 8, 8, 3\)"),
        (np.zeros(8, np.uint8), r"image has the shape \(8,\)"),
        (np.zeros((0, 8, 3), np.uint8), r"image has the shape \(0, 8, 3\); it has no pixels"),
        (np.zeros((1, 20_000), np.uint8), r"20000x1 px exceeds max_input_side_px=16384"),
        ([[1, 2], [3, 4]], r"image is of the type builtins.list; it has to be a NumPy array"),
        (None, r"image is of the type builtins.NoneType"),
    ],
)
def test_what_is_no_image_is_refused_by_name(upscaler: Upscaler, image: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        upscaler.enhance(image)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 9}, "scale='9'"),
        ({"scale": 2, "width": 100}, "exclude each other"),
        ({"width": 10_000}, "width=10000 is 156 times the image's 64 px"),
        ({"denoise": 2}, "denoise='2'"),
        ({"scale": "large"}, "scale='large'"),
    ],
)
def test_options_are_refused_by_name(upscaler: Upscaler, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        upscaler.enhance(PICTURES["rgb"], **options)


def test_sizes_and_the_report(upscaler: Upscaler) -> None:
    result, report = upscaler.enhance_with_report(PICTURES["rgb"], width=130, height=90)
    assert result.shape == (90, 130, 3)
    assert (report.model, report.device_type, report.tiles, report.notes) == ("pixelmend-x4", "cpu", 1, ())
    assert len(report.model_sha256) == 64
    assert upscaler.enhance_with_report(PICTURES["rgb"], scale=2)[1].model == "pixelmend-x2"
    assert upscaler.enhance(PICTURES["rgb"], denoise=0.5).shape == (256, 256, 3)


@pytest.mark.full
def test_progress_goes_from_nothing_to_all(upscaler: Upscaler) -> None:
    told: list[float] = []
    threads: set[int] = set()

    def on_progress(fraction: float) -> None:
        told.append(fraction)
        threads.add(threading.get_ident())

    upscaler.enhance(LARGE, on_progress=on_progress)
    assert (told[0], told[-1]) == (0.0, 1.0)
    assert told == sorted(set(told))
    assert threads == {threading.get_ident()}


def test_what_the_callback_raises_cancels_the_call(upscaler: Upscaler) -> None:
    def stop(fraction: float) -> None:
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        upscaler.enhance(LARGE, on_progress=stop)
    assert upscaler.enhance(PICTURES["rgb"], scale=2).shape == (128, 128, 3)
    assert_nothing_left(upscaler)


def test_an_interrupt_ends_the_call_and_leaves_the_engine(upscaler: Upscaler) -> None:
    # Python leaves it ignored in a process that is started in the background of a script.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    signals: list[threading.Timer] = []

    def interrupt(fraction: float) -> None:
        if not signals:  # it comes while the call waits for the many tiles that are left
            signals.append(threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)))
            signals[0].start()

    try:
        with pytest.raises(KeyboardInterrupt):
            upscaler.enhance(np.tile(LARGE, (3, 3, 1)), on_progress=interrupt)
    finally:
        signal.signal(signal.SIGINT, before)
    assert upscaler.enhance(PICTURES["rgb"], scale=2).shape == (128, 128, 3)
    assert_nothing_left(upscaler)


def assert_nothing_left(upscaler: Upscaler) -> None:
    """The engine gives up a call's files within a tile."""
    folder = upscaler._spool.path
    for _ in range(600):
        if not [path for path in folder.iterdir() if path.is_dir()]:
            return
        threading.Event().wait(0.05)
    raise AssertionError(f"left: {sorted(folder.rglob('*'))}")


def test_threads_share_it(upscaler: Upscaler) -> None:
    names = list(PICTURES)
    expected = [upscaler.enhance(PICTURES[name]) for name in names]
    results: dict[int, Array] = {}

    def call(index: int) -> None:
        results[index] = upscaler.enhance(PICTURES[names[index]])

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(names))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, result in enumerate(expected):
        np.testing.assert_array_equal(results[index], result)


def test_a_result_belongs_to_the_caller(upscaler: Upscaler) -> None:
    image = PICTURES["rgb"].copy()
    result = upscaler.enhance(image, scale=2)
    result[:] = 0
    np.testing.assert_array_equal(image, PICTURES["rgb"])


def test_models_and_devices_are_checked_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel, match="'nonesuch' is not known; there are: pixelmend-x4"):
        Upscaler("nonesuch")
    with pytest.raises(ModelUnusable, match="pixelmend models download RealESRGAN_x4plus"):
        Upscaler("RealESRGAN_x4plus", models_dir=tmp_path)
    with pytest.raises(InvalidArgument, match="device='tpu'"):
        Upscaler(device="tpu")
    with pytest.raises(InvalidArgument, match="device='cpu,cpu' names several"):
        Upscaler(device="cpu,cpu")
    with pytest.raises(InvalidArgument, match="tile_px=8"):
        Upscaler(tile=8)
    with pytest.raises(InvalidArgument, match="device=cuda:99, but PyTorch finds"):
        Upscaler(device="cuda:99", in_process=True)


def test_a_device_that_is_not_there_fails_the_call() -> None:
    with (
        Upscaler(device="cuda:99") as absent,
        pytest.raises(NoWorker, match="device=cuda:99, but PyTorch finds"),
    ):
        absent.enhance(PICTURES["rgb"])
