"""What docs/architecture.md says of the code is so."""

import re
from pathlib import Path

import pytest

from pixelmend.jobs.model import TRANSITIONS, JobState

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "backend" / "pixelmend"
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CALLS = re.findall(r"^\d+\. (.*)$", TEXT.split("## Layers")[0], re.MULTILINE)
LONGEST_MODULE_LINES = 300


def drawn_states() -> str:
    """The states of a job as docs/architecture.md has them."""
    lines = ["stateDiagram-v2", f"    [*] --> {JobState.QUEUED}"]
    for state, events in TRANSITIONS.items():
        lines += [f"    {state} --> {after}: {event}" for event, after in events.items()]
    return "\n".join(lines)


@pytest.mark.parametrize("document", ["docs/architecture.md", "docs/security.md", "docs/operations.md"])
def test_files_that_are_named_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.-]+/)*[\w.-]+\.(?:py|ts|tsx|toml|yml))`", text)
    assert named
    folders = (ROOT, PACKAGE, ROOT / "frontend" / "src")
    assert [name for name in named if "/" in name and not any((f / name).exists() for f in folders)] == []


def test_an_upload_takes_at_most_fifteen_calls_and_each_is_where_it_is_said_to_be() -> None:
    assert 5 <= len(CALLS) <= 15
    for call in CALLS:
        names = re.findall(r"`(\w+)` (?:in|lets|makes|comes)", call)
        paths = re.findall(r"`((?:\w+/)+\w+\.py)`", call)
        assert names, call
        assert paths, call
        sources = "".join((PACKAGE / path).read_text(encoding="utf-8") for path in paths)
        missing = [name for name in names if not re.search(rf"(def|class) {name}\b", sources)]
        assert missing == [], call


def test_the_states_of_a_job_are_drawn_as_they_are() -> None:
    drawing = re.search(r"```mermaid\n(.*?)\n```", TEXT, re.DOTALL)
    assert drawing is not None
    assert drawing[1] == drawn_states()


def test_no_module_is_long() -> None:
    sizes = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert len(sizes) > 50
    assert {path: size for path, size in sizes.items() if size > LONGEST_MODULE_LINES} == {}
