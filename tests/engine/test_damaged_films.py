"""Films with damaged bytes through the whole engine: each ends as a whole film or in a documented error."""

import random
from collections import Counter
from pathlib import Path

import pytest

from pixelmend.core.errors import CorruptVideo, UnsupportedVideo
from pixelmend.engine.in_process import InProcessEngine
from pixelmend.video.inspection import inspect
from tests.engine.test_films import CLIPS, Watch, task_of
from tests.video.clips import make

NAMES = ("constant.mp4", "variable.mkv", "old.avi", "stream.ts", "web.webm")


def damaged(data: bytes, generator: random.Random) -> bytes:
    """Bytes in the middle are overwritten, or the end is missing."""
    changed = bytearray(data)
    if generator.random() < 0.3:
        return bytes(changed[: generator.randrange(len(data) // 4, len(data))])
    for _ in range(generator.randrange(1, 12)):
        at = generator.randrange(len(data) // 8, len(data))
        changed[at : at + 4] = generator.randbytes(4)
    return bytes(changed[: len(data)])


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_a_damaged_film_becomes_a_whole_one_or_is_refused(
    engine: InProcessEngine, tmp_path: Path, name: str
) -> None:
    whole = make(tmp_path / name, CLIPS[name]).read_bytes()
    ends: Counter[str] = Counter()
    for seed in range(16):
        generator = random.Random(seed)
        source = tmp_path / f"{seed}{name}"
        source.write_bytes(damaged(whole, generator))
        target = tmp_path / f"out{seed}.mkv"
        watch = Watch()
        try:
            engine.submit(task_of(source, target), watch)
            report = watch.report()
        except (CorruptVideo, UnsupportedVideo) as refused:
            ends[refused.code] += 1
            assert not target.exists()
        else:
            ends["done"] += 1
            assert inspect(target).header.frames > 0, report
        assert not list(tmp_path.glob("*.part"))
    assert sum(ends.values()) == 16
    assert ends["done"] > 0
