"""Memory back-off and the chain of fallback networks, with networks that are real but for the
device's size.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pixelmend.core.errors import DeviceMemoryError, WrongResult
from pixelmend.engine.backends.network import TileNetwork
from pixelmend.engine.backends.torch import TorchNetwork
from pixelmend.engine.devices.device import cpu_device
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.engine.recovery.tiling import Tiling
from tests.engine.networks import Faulty, Repeater, SmallDevice, colour, compact_state, model_from
from tests.imaging.samples import noise

TILING = Tiling(overlap_px=8, blend_px=0, multiple_of=1, minimum_px=1)


def always(network: TileNetwork) -> Callable[[], TileNetwork]:
    return lambda: network


def runner_on(
    device: TileNetwork, *fallbacks: TileNetwork, free_memory: Callable[[], bool] = lambda: False
) -> ResilientRunner:
    return ResilientRunner(TILING, [always(n) for n in (device, *fallbacks)], free_memory)


def tiles(count: int, side: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.stack([noise(side, side, 3, seed=i) for i in range(count)])


def doubled(
    images: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return images.repeat(2, axis=1).repeat(2, axis=2)


def test_what_fits_runs_at_once() -> None:
    device = SmallDevice(Repeater(), 10**9)
    runner = runner_on(device)
    result = runner.run(tiles(4, 64), colour(4))
    np.testing.assert_array_equal(result.pixels, doubled(tiles(4, 64)))
    assert device.served == [(4, 64, 64)]
    assert result.notes == (None,) * 4
    assert runner.limit.cap_px is None


def test_the_batch_is_halved_first_and_that_is_remembered() -> None:
    device = SmallDevice(Repeater(), 2 * 64 * 64)
    runner = runner_on(device)
    for _ in range(2):
        result = runner.run(tiles(7, 64), colour(7))
        np.testing.assert_array_equal(result.pixels, doubled(tiles(7, 64)))
    assert device.refused == [(7, 64, 64), (3, 64, 64)]
    assert {shape[0] for shape in device.served} == {1}
    assert runner.limit.tile_edge(64) == 64


def test_then_the_tile_is_halved_and_that_is_remembered() -> None:
    device = SmallDevice(Repeater(), 130 * 130)
    runner = runner_on(device)
    for _ in range(2):
        result = runner.run(tiles(2, 256), colour(2))
        np.testing.assert_array_equal(result.pixels, doubled(tiles(2, 256)))
    assert device.refused == [(2, 256, 256), (1, 256, 256)]
    assert all(max(shape) <= 128 for shape in device.served)
    assert 64 < runner.limit.tile_edge(256) <= 128


def test_a_tile_is_halved_as_often_as_it_takes() -> None:
    device = SmallDevice(Repeater(), 70 * 70)
    runner = runner_on(device)
    result = runner.run(tiles(1, 300), colour())
    np.testing.assert_array_equal(result.pixels, doubled(tiles(1, 300)))
    assert [shape[1] for shape in device.refused] == sorted(
        {shape[1] for shape in device.refused}, reverse=True
    )
    assert runner.limit.tile_edge(300) <= 75


def test_a_split_tile_of_a_real_network_has_the_values_of_the_whole(tmp_path: Path) -> None:
    model = model_from(compact_state(features=8, hidden=2), tmp_path)
    network = TorchNetwork(model, cpu_device(), "float32")
    images = tiles(2, 150)
    whole = network.run(images, colour(2)).pixels

    device = SmallDevice(network, 80 * 80)
    tiling = Tiling(model.overlap_px, 0, 1, 1)
    result = ResilientRunner(tiling, [always(device)]).run(images, colour(2))
    np.testing.assert_array_equal(result.pixels, whole)
    assert device.refused


def test_nothing_fits_is_a_clear_refusal_and_leaves_nothing_behind() -> None:
    device = SmallDevice(Repeater(), 100)
    runner = runner_on(device)
    with pytest.raises(DeviceMemoryError, match=r"px does not fit .*the smallest tile is 64 px"):
        runner.run(tiles(1, 256), colour())
    assert runner.limit.cap_px is None
    device.budget_px = 10**9
    np.testing.assert_array_equal(runner.run(tiles(1, 256), colour()).pixels, doubled(tiles(1, 256)))
    assert device.served == [(1, 256, 256)]


def test_a_tile_is_split_down_to_the_least_that_the_network_is_exact_in() -> None:
    device = SmallDevice(Repeater(), 170**2)
    runner = ResilientRunner(Tiling(40, 8, 1, 1, minimum_core_px=80), [always(device)])
    # Half of 256 px would be too small.
    np.testing.assert_array_equal(runner.run(tiles(1, 256), colour()).pixels, doubled(tiles(1, 256)))
    assert {shape[1:3] for shape in device.served} == {(160, 160)}
    device.budget_px = 159**2
    with pytest.raises(DeviceMemoryError, match="the smallest tile is 160 px"):
        runner.run(tiles(1, 256), colour())


def test_others_are_asked_for_memory_before_refusing() -> None:
    device = SmallDevice(Repeater(), 100)
    asked: list[int] = []

    def free_unused() -> bool:
        asked.append(device.budget_px)
        device.budget_px *= 8
        return len(asked) <= 5

    runner = runner_on(device, free_memory=free_unused)
    result = runner.run(tiles(1, 64), colour())
    np.testing.assert_array_equal(result.pixels, doubled(tiles(1, 64)))
    assert asked == [100, 800]


def test_memory_is_not_asked_for_while_halving_helps() -> None:
    def free_unused() -> bool:
        raise AssertionError("not needed")

    runner_on(SmallDevice(Repeater(), 70 * 70), free_memory=free_unused).run(tiles(4, 128), colour(4))


# --- faulty tiles -----------------------------------------------------------------------------------------


def bright(tile: object) -> bool:
    return bool(np.asarray(tile).mean() > 200)


def test_only_the_faulty_tile_is_redone_and_the_note_is_its_own() -> None:
    images = tiles(3, 64)
    images[1] = 250
    fallbacks = Repeater(label="float32 on CPU")
    runner = runner_on(Faulty("float16 on GPU", "not finite", bright), fallbacks)
    result = runner.run(images, colour(3))
    np.testing.assert_array_equal(result.pixels, doubled(images))
    assert fallbacks.shapes == [(1, 64, 64)]
    assert result.notes == (None, "tile redone in float32 on CPU: not finite in float16 on GPU", None)


def test_the_chain_is_tried_and_opened_only_as_far_as_needed() -> None:
    opened: list[str] = []

    def opening(network: Repeater) -> Callable[[], TileNetwork]:
        def open_it() -> TileNetwork:
            opened.append(network.label)
            return network

        return open_it

    fallback_chain = [
        Faulty("a", "not finite"),
        Faulty("b", "collapsed"),
        Repeater(label="c"),
        Repeater(label="d"),
    ]
    runner = ResilientRunner(TILING, [opening(network) for network in fallback_chain])
    for _ in range(2):
        result = runner.run(tiles(1, 64), colour())
    np.testing.assert_array_equal(result.pixels, doubled(tiles(1, 64)))
    assert result.notes == ("tile redone in c: not finite in a, collapsed in b",)
    assert opened == ["a", "b", "c"]


def test_wrong_everywhere_is_an_error_and_no_picture() -> None:
    runner = runner_on(Faulty("a", "not finite"), Faulty("b", "not finite"))
    with pytest.raises(WrongResult, match="not finite in a, not finite in b; nothing was returned"):
        runner.run(tiles(1, 64), colour())


def test_a_safer_network_without_memory_is_passed_over() -> None:
    runner = runner_on(Faulty("a", "not finite"), SmallDevice(Repeater(label="b"), 10), Repeater(label="c"))
    result = runner.run(tiles(1, 64), colour())
    np.testing.assert_array_equal(result.pixels, doubled(tiles(1, 64)))
    assert str(result.notes[0]).startswith("tile redone in c: ")


def test_a_fault_in_a_part_of_a_split_tile_is_a_fault_of_the_tile() -> None:
    image = tiles(1, 128)
    image[0, :64, :64] = 250
    small = SmallDevice(Faulty("a", "not finite", bright), 90 * 90)
    result = runner_on(small, Repeater(label="b")).run(image, colour())
    np.testing.assert_array_equal(result.pixels, doubled(image))
    assert result.notes == ("tile redone in b: not finite in a",)
