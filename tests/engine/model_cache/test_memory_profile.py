"""What was learned of memory: kept between runs, and how sizes that were never run are judged by it."""

import io
from pathlib import Path

import pytest

from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.engine.model_cache.memory_profile import (
    KEPT_MODELS,
    LARGEST_STEP,
    RECENT,
    FigureKey,
    LearnedFigures,
)

KEY = FigureKey("m", 100, "d", "float16")


def figures(path: Path | None = None) -> LearnedFigures:
    return LearnedFigures(path, Logger())


def test_figures_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "data" / "memory.json"
    first = figures(path)
    first.measured(KEY, 1000, 50_000)
    first.has_weights(KEY, 7)
    first.capped(KEY, 4096)
    first.save()
    again = figures(path)
    assert again.bytes_per_px(KEY, 1000) == 50
    assert (again.weights_bytes(KEY), again.cap_px(KEY)) == (7, 4096)
    assert again.largest_step_px(KEY) == 1000 * LARGEST_STEP
    assert [p.name for p in path.parent.iterdir()] == ["memory.json"]
    other = FigureKey("m", 101, "d", "float16")  # another file of the same name
    assert again.bytes_per_px(other) is None


@pytest.mark.parametrize(
    "torn", [b"", b'{"version": 1, "figu', b"\xff\xfe", b'{"version": 1, "figures": []}']
)
def test_a_torn_file_is_survived_with_a_warning_and_replaced(tmp_path: Path, torn: bytes) -> None:
    log = io.StringIO()
    configure_logging("info", "json", log)
    path = tmp_path / "memory.json"
    path.write_bytes(torn)
    learned = figures(path)
    assert learned.bytes_per_px(KEY) is None
    assert "start anew" in log.getvalue()
    learned.measured(KEY, 10, 100)
    learned.save()
    assert figures(path).bytes_per_px(KEY) == 10


def test_a_file_that_cannot_be_written_is_survived(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    learned = figures(tmp_path / "file" / "memory.json")
    learned.measured(KEY, 10, 100)
    learned.save()
    assert learned.bytes_per_px(KEY) == 10


def test_what_another_thread_took_once_does_not_decide() -> None:
    learned = figures()
    for peak in (1000, 1010, 90_000, 0, 1005):
        learned.measured(KEY, 100, peak)
    assert learned.bytes_per_px(KEY, 100) == pytest.approx(10.05)
    for _ in range(RECENT):
        learned.measured(KEY, 100, 2000)
    assert learned.bytes_per_px(KEY, 100) == 20


def test_an_unknown_size_has_the_rate_of_the_next_smaller_one() -> None:
    learned = figures()
    learned.measured(KEY, 100, 10_000)
    learned.measured(KEY, 10_000, 200_000)
    assert learned.bytes_per_px(KEY, 5_000) == 100
    assert learned.bytes_per_px(KEY, 1_000_000) == 20
    assert learned.bytes_per_px(KEY, 1) == 100
    assert learned.bytes_per_px(KEY) == 20


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    learned = figures(tmp_path / "memory.json")
    for size in range(KEPT_MODELS + 5):
        learned.measured(FigureKey("m", size, "d", "float32"), 10, 100)
    assert learned.bytes_per_px(FigureKey("m", 0, "d", "float32")) == 10  # asked for, so it stays
    learned.save()
    again = figures(tmp_path / "memory.json")
    kept = [s for s in range(KEPT_MODELS + 5) if again.bytes_per_px(FigureKey("m", s, "d", "float32"))]
    assert kept == [0, *range(6, KEPT_MODELS + 5)]
