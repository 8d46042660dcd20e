"""What is tried when a tile fails: by default, by other orders, and never without end."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pixelmend.core.config_values import Recovery, RecoveryAction
from pixelmend.core.errors import DeviceMemoryError, WrongResult
from pixelmend.engine.backends.network import NetworkOutput, TileNetwork, Tiles
from pixelmend.engine.devices.device import Device
from pixelmend.engine.recovery.fallback_chain import FallbackNetwork
from pixelmend.engine.recovery.policy import RecoveryLog, RecoveryPolicy, policy_from
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.models.memory import RecoveryCounts
from tests.engine.networks import Faulty, Repeater, SmallDevice, colour
from tests.imaging.samples import noise

IMAGE = noise(128, 128, 3)[None]
DOUBLED = IMAGE.repeat(2, axis=1).repeat(2, axis=2)


class Failing(Repeater):
    """Fails `times` times as a device does, then works."""

    def __init__(self, label: str, times: int, device: str = "cuda") -> None:
        super().__init__(label=label)
        self.device = Device("mps" if device == "mps" else "cuda", 0, label, 0)
        self.left = times

    def run(self, tiles: Tiles, grey: NDArray[np.bool_]) -> NetworkOutput:
        if self.left:
            self.left -= 1
            raise RuntimeError("the kernel was lost\nand a stack trace")
        return super().run(tiles, grey)


def runner(
    policy: RecoveryPolicy,
    first: TileNetwork,
    *fallbacks: tuple[TileNetwork, RecoveryAction],
    free_memory: Callable[[], bool] = lambda: False,
) -> tuple[ResilientRunner, RecoveryLog]:
    done = RecoveryLog()

    def rung(network: TileNetwork, action: RecoveryAction) -> FallbackNetwork:
        return FallbackNetwork(lambda: network, action)

    fallback_chain = [rung(first, "retry"), *(rung(network, action) for network, action in fallbacks)]
    return ResilientRunner(Tiling(8, 0, 1, 1), fallback_chain, free_memory, policy=policy, log=done), done


def test_a_device_error_is_not_hidden_unless_something_is_to_be_done() -> None:
    failing, _ = runner(RecoveryPolicy(), Failing("gpu", 1), (Repeater(), "other-device"))
    with pytest.raises(RuntimeError, match="the kernel was lost"):
        failing.run(IMAGE, colour())


def test_metal_falls_back_to_the_cpu_and_says_so() -> None:
    precise = Repeater(label="float32 on Apple")
    falling, done = runner(
        RecoveryPolicy(),
        Failing("float16 on Apple", 9, "mps"),
        (precise, "other-precision"),
        (Repeater(label="float32 on CPU"), "other-device"),
    )
    result = falling.run(np.concatenate([IMAGE, IMAGE]), colour(2))
    np.testing.assert_array_equal(result.pixels, np.concatenate([DOUBLED, DOUBLED]))
    assert result.notes[1] == "tile redone in float32 on CPU: the kernel was lost in float16 on Apple"
    assert precise.shapes == []
    assert done.counts() == RecoveryCounts(redone=2)


def test_by_default_a_wrong_tile_is_redone_in_fp32_before_another_device_is_tried() -> None:
    cpu = Repeater(label="cpu")
    first = Faulty("first", "not finite")
    default, _ = runner(
        RecoveryPolicy(), first, (Repeater(label="precise"), "other-precision"), (cpu, "other-device")
    )
    assert default.run(IMAGE, colour()).notes == ("tile redone in precise: not finite in first",)
    assert (len(first.shapes), cpu.shapes) == (1, [])


def test_actions_are_tried_in_the_order_that_was_given() -> None:
    policy = RecoveryPolicy(wrong_result=("retry", "other-device", "other-precision"))
    first = Faulty("first", "not finite")
    precise = Repeater(label="precise")
    ordered, done = runner(
        policy, first, (precise, "other-precision"), (Repeater(label="cpu"), "other-device")
    )
    result = ordered.run(IMAGE, colour())
    assert len(first.shapes) == 2
    assert precise.shapes == []
    assert str(result.notes[0]).startswith("tile redone in cpu: not finite in first, not finite in first")
    assert done.counts() == RecoveryCounts(redone=1)


def test_a_retry_that_helps_is_counted() -> None:
    policy = RecoveryPolicy(device_error=("retry", "retry"))
    trying, done = runner(policy, Failing("gpu", 2))
    np.testing.assert_array_equal(trying.run(IMAGE, colour()).pixels, DOUBLED)
    assert done.counts() == RecoveryCounts(retried=1)


def test_attempts_are_bounded() -> None:
    policy = RecoveryPolicy(wrong_result=("retry",) * 50, max_attempts=3)
    first = Faulty("first", "not finite")
    with pytest.raises(WrongResult):
        runner(policy, first)[0].run(IMAGE, colour())
    assert len(first.shapes) == 1 + 3


def test_memory_may_be_freed_before_tiles_are_split() -> None:
    device = SmallDevice(Repeater(), 100**2)
    asked: list[int] = []

    def free_unused() -> bool:
        asked.append(1)
        device.budget_px *= 2
        return True

    freeing, done = runner(
        RecoveryPolicy(out_of_memory=("evict", "smaller-tile")), device, free_memory=free_unused
    )
    np.testing.assert_array_equal(freeing.run(IMAGE, colour()).pixels, DOUBLED)
    assert (asked, freeing.limit.cap_px, done.counts()) == ([1], None, RecoveryCounts())


def test_without_memory_another_device_may_compute() -> None:
    policy = RecoveryPolicy(out_of_memory=("other-device",))
    small, done = runner(policy, SmallDevice(Repeater(), 10), (Repeater(label="cpu"), "other-device"))
    np.testing.assert_array_equal(small.run(IMAGE, colour()).pixels, DOUBLED)
    assert done.counts() == RecoveryCounts(redone=1)
    with pytest.raises(DeviceMemoryError, match="no action of the recovery policy splits it"):
        runner(RecoveryPolicy(out_of_memory=()), SmallDevice(Repeater(), 10))[0].run(IMAGE, colour())


def test_splitting_and_refusing_are_counted() -> None:
    splitting, done = runner(RecoveryPolicy(), SmallDevice(Repeater(), 80**2))
    splitting.run(IMAGE, colour())
    assert done.counts() == RecoveryCounts(smaller=1)
    refusing, done = runner(RecoveryPolicy(), SmallDevice(Repeater(), 10))
    with pytest.raises(DeviceMemoryError):
        refusing.run(IMAGE, colour())
    assert done.counts().refused == 1


def test_the_operators_orders_replace_the_defaults_one_by_one() -> None:
    policy = policy_from(Recovery(device_error=("retry",), max_attempts=2))
    assert policy == RecoveryPolicy(device_error=("retry",), max_attempts=2)
    assert policy_from(Recovery()) == RecoveryPolicy()


# --- memory -----------------------------------------------------------------------------------------------


def test_what_the_device_has_no_room_for_is_computed_on_the_cpu_and_said() -> None:
    batch = np.concatenate([IMAGE, IMAGE])
    upscaler, done = runner(
        RecoveryPolicy(), SmallDevice(Repeater(), 100), (Repeater(label="float32 on the CPU"), "other-device")
    )
    result = upscaler.run(batch, colour(2))
    np.testing.assert_array_equal(result.pixels, np.concatenate([DOUBLED, DOUBLED]))
    for note in result.notes:
        assert note is not None
        assert note.startswith("tile redone in float32 on the CPU: a tile of ")
        assert "does not fit on the device" in note
    assert done.counts().redone == 2


@pytest.mark.parametrize(
    "policy", [RecoveryPolicy(), RecoveryPolicy(out_of_memory=("smaller-tile", "evict"))]
)
def test_without_another_device_or_leave_to_use_it_there_is_no_result(policy: RecoveryPolicy) -> None:
    others = () if "other-device" in policy.out_of_memory else ((Repeater(), "other-device"),)
    upscaler, done = runner(policy, SmallDevice(Repeater(), 100), *others)
    with pytest.raises(DeviceMemoryError, match="does not fit on the device"):
        upscaler.run(IMAGE, colour())
    assert done.counts() == RecoveryCounts(refused=1)


def test_a_tile_that_fits_on_no_device_is_refused_with_what_both_said() -> None:
    upscaler, _ = runner(
        RecoveryPolicy(), SmallDevice(Repeater(), 100), (SmallDevice(Repeater(), 50), "other-device")
    )
    with pytest.raises(DeviceMemoryError, match=r"exceed 100.*exceed 50"):
        upscaler.run(IMAGE, colour())
