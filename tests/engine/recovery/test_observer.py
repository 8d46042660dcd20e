"""Hooks learn of every step that is taken for a tile."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pixelmend.core.telemetry import Logger
from pixelmend.engine.recovery.fallback_chain import FallbackNetwork
from pixelmend.engine.recovery.observer import RecoveryObserver
from pixelmend.engine.recovery.runner import ResilientRunner
from pixelmend.engine.recovery.tiling import Tiling
from pixelmend.models.hooks import Hooks
from pixelmend.models.recovery import RecoveryEvent
from tests.engine.networks import Faulty, Repeater, SmallDevice, colour

TILING = Tiling(overlap_px=4, blend_px=0, multiple_of=1, minimum_px=1)


class Recorder:
    def __init__(self) -> None:
        self.told: list[RecoveryEvent | str] = []

    def on_recovery(self, event: RecoveryEvent) -> None:
        self.told.append(event)

    def before_retry(self) -> None:
        self.told.append("before")

    @property
    def steps(self) -> list[Any]:
        return [t if isinstance(t, str) else (t.model, t.failure, t.step, t.succeeded) for t in self.told]


def told_by(chain: Sequence[Any], tiles: Any) -> list[Any]:
    recorder = Recorder()
    observer = RecoveryObserver("net", Hooks([recorder], Logger()))
    ResilientRunner(TILING, chain, observer=observer).run(tiles, colour(len(tiles)))
    return recorder.steps


def tiles(count: int, side_px: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (count, side_px, side_px, 3), np.uint8)


def test_a_wrong_tile_and_the_networks_that_computed_it_again() -> None:
    chain = [
        lambda: Faulty("fast", "NaN"),
        FallbackNetwork(lambda: Faulty("slow", "NaN"), "other-precision"),
        FallbackNetwork(lambda: Repeater(), "other-device"),
    ]
    assert told_by(chain, tiles(1, 32)) == [
        "before",
        ("net", "wrong_result", "other-precision", False),
        "before",
        ("net", "wrong_result", "other-device", True),
    ]


def test_what_does_not_fit_is_computed_in_parts() -> None:
    told = told_by([lambda: SmallDevice(Repeater(), budget_px=2 * 64 * 64)], tiles(4, 64))
    assert told == ["before", ("net", "out_of_memory", "smaller-batch", None)]
    told = told_by([lambda: SmallDevice(Repeater(), budget_px=96 * 96)], tiles(1, 128))
    assert told[-1] == ("net", "out_of_memory", "smaller-tile", True)
    assert told[0] == "before"


def test_nothing_is_told_when_all_goes_well() -> None:
    assert told_by([lambda: Repeater()], tiles(3, 32)) == []
