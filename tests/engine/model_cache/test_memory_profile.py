"""What was measured of models' memory is kept between runs, and used for sizes that were never run."""

import io
import json
from pathlib import Path

import pytest

from pixelmend.core.telemetry import Logger, configure_logging
from pixelmend.engine.model_cache.memory_profile import (
    KEPT_MODELS,
    LARGEST_STEP,
    RECENT,
    MemoryProfileKey,
    MemoryProfiles,
)

KEY = MemoryProfileKey("m", 100, "d", "float16")


def memory_profile(path: Path | None = None) -> MemoryProfiles:
    return MemoryProfiles(path, Logger())


def test_profiles_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "data" / "memory.json"
    first = memory_profile(path)
    first.record_call(KEY, 1000, 50_000)
    first.record_weights(KEY, 7)
    first.record_cap(KEY, 4096)
    first.save()
    again = memory_profile(path)
    assert again.bytes_per_px(KEY, 1000) == 50
    assert (again.weights_bytes(KEY), again.cap_px(KEY)) == (7, 4096)
    assert again.largest_step_px(KEY) == 1000 * LARGEST_STEP
    assert [p.name for p in path.parent.iterdir()] == ["memory.json"]
    other = MemoryProfileKey("m", 101, "d", "float16")  # another file of the same name
    assert again.bytes_per_px(other) is None


@pytest.mark.parametrize(
    "torn", [b"", b'{"version": 1, "figu', b"\xff\xfe", b'{"version": 1, "figures": []}']
)
def test_a_torn_file_is_survived_with_a_warning_and_replaced(tmp_path: Path, torn: bytes) -> None:
    log = io.StringIO()
    configure_logging("info", "json", log)
    path = tmp_path / "memory.json"
    path.write_bytes(torn)
    learned = memory_profile(path)
    assert learned.bytes_per_px(KEY) is None
    assert "are measured again" in log.getvalue()
    learned.record_call(KEY, 10, 100)
    learned.save()
    assert memory_profile(path).bytes_per_px(KEY) == 10


def test_a_file_that_cannot_be_written_is_survived(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    learned = memory_profile(tmp_path / "file" / "memory.json")
    learned.record_call(KEY, 10, 100)
    learned.save()
    assert learned.bytes_per_px(KEY) == 10


def test_what_another_thread_took_once_does_not_decide() -> None:
    learned = memory_profile()
    for peak in (1000, 1010, 90_000, 0, 1005):
        learned.record_call(KEY, 100, peak)
    assert learned.bytes_per_px(KEY, 100) == pytest.approx(10.05)
    for _ in range(RECENT):
        learned.record_call(KEY, 100, 2000)
    assert learned.bytes_per_px(KEY, 100) == 20


def test_an_unknown_size_has_the_rate_of_the_next_smaller_one() -> None:
    learned = memory_profile()
    learned.record_call(KEY, 100, 10_000)
    learned.record_call(KEY, 10_000, 200_000)
    assert learned.bytes_per_px(KEY, 5_000) == 100
    assert learned.bytes_per_px(KEY, 1_000_000) == 20
    assert learned.bytes_per_px(KEY, 1) == 100
    assert learned.bytes_per_px(KEY) == 20


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    learned = memory_profile(tmp_path / "memory.json")
    for size in range(KEPT_MODELS + 5):
        learned.record_call(MemoryProfileKey("m", size, "d", "float32"), 10, 100)
    assert learned.bytes_per_px(MemoryProfileKey("m", 0, "d", "float32")) == 10  # asked for, so it stays
    learned.save()
    again = memory_profile(tmp_path / "memory.json")
    kept = [s for s in range(KEPT_MODELS + 5) if again.bytes_per_px(MemoryProfileKey("m", s, "d", "float32"))]
    assert kept == [0, *range(6, KEPT_MODELS + 5)]


def test_file_of_the_version_before_is_read(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"
    record = {"weights_bytes": 7, "rates": {"10": [50.0]}, "largest_px": 1000, "cap_px": 4096, "touched": 3}
    path.write_text(json.dumps({"version": 1, "figures": {str(KEY): record}}))
    profiles = MemoryProfiles(path, Logger())
    assert (profiles.weights_bytes(KEY), profiles.bytes_per_px(KEY), profiles.cap_px(KEY)) == (7, 50.0, 4096)
