"""Names that strangers chose: whatever they are, what is written out is safe."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pixelmend.imaging.names import MAX_NAME_BYTES, safe_name, safe_path, safe_stem, same_name, shortened

ANY_NAME = st.text(st.characters(exclude_categories=[]), max_size=400)
LOOKS_LIKE_A_PATH = st.lists(
    st.sampled_from(
        ["/", "//", "\\", "..", ".", "C:", "etc", "x.png", "\0", "con", "e\u0301", " ", "\ud800"]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(ANY_NAME | LOOKS_LIKE_A_PATH)
@example("//etc/cron.d/x.png")
@example("C:\\Windows\\..\\x.png")
@example("./.")
@example("a/" * 30_000 + "x.png")
@example("x" * 65_535 + ".png")
def test_a_written_path_stays_where_it_belongs(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    path = safe_path(name)
    if path is None:
        return
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert len(str(path).encode()) < 1000  # strict UTF-8, or this raises
    for part in path.parts:
        assert part == part.strip().rstrip(".")
        assert len(part.encode()) <= MAX_NAME_BYTES
        assert not set(part) & set('<>:"|?*\\/\0\n\u202e')
        assert unicodedata.is_normalized("NFC", part)
        assert safe_name(part) == part  # what is safe stays as it is
    root = tmp_path_factory.getbasetemp().resolve()
    assert (root / path).resolve().is_relative_to(root)
    assert safe_stem(name)


def test_what_the_properties_stand_for() -> None:
    assert str(safe_path("//etc/cron.d/x.png")) == "etc/cron.d/x.png"
    assert str(safe_path("C:\\photos\\a.jpg")) == "C_/photos/a.jpg"
    assert str(safe_path("urlaub/M\u00fcnchen: Tag 1.jpg")) == "urlaub/M\u00fcnchen_ Tag 1.jpg"
    assert safe_name("nul.tar.gz") == "_nul.tar.gz"
    assert safe_name("console.png") == "console.png"
    assert safe_path("./.") is None
    assert safe_stem("") == "image"
    assert safe_stem("holiday/.png") == ".png"


def test_long_names_stay_distinct_and_keep_their_suffix(tmp_path: Path) -> None:
    first, second = shortened("\u00e9" * 300 + "1.jpg"), shortened("\u00e9" * 300 + "2.jpg")
    assert first != second
    assert first.endswith(".jpg")
    (tmp_path / (first + ".1234567890abcdef.part")).touch()


def test_names_differ_neither_by_case_nor_by_composition() -> None:
    assert same_name("Caf\u00e9") == same_name("cafe\u0301") == same_name("CAFE\u0301")
    assert same_name("a") != same_name("b")
