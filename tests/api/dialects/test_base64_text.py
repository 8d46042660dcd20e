"""Base64 in pieces: whatever the cuts, the bytes are the same, and what is wrong is named."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmend.api.dialects.base64_text import Base64Text
from pixelmend.core.errors import InvalidParameter, MalformedUpload, PixelmendError


def decoded(inside: bytes, cuts: list[int]) -> bytes:
    reader, start, found = Base64Text("image"), 0, b""
    for cut in [*sorted(cut % (len(inside) + 1) for cut in cuts), len(inside)]:
        found += reader.feed(inside[start:cut])
        start = cut
    return found + reader.finish()


@given(
    data=st.binary(max_size=300),
    prefix=st.sampled_from(["", "data:image/png;base64,", "data:application/octet-stream;base64,"]),
    escape=st.sampled_from(
        [
            lambda text: text,
            lambda text: text.replace("/", "\\/"),
            lambda text: text.replace("+", "\\u002B").replace("=", "\\u003d"),
            lambda text: "\\n".join(text[at : at + 76] for at in range(0, len(text), 76)) + "\\r\\n",
        ]
    ),
    cuts=st.lists(st.integers(min_value=0, max_value=10_000), max_size=20),
)
def test_what_encoders_write_is_read_wherever_it_is_cut(
    data: bytes, prefix: str, escape: object, cuts: list[int]
) -> None:
    assert callable(escape)
    inside = escape(prefix + base64.b64encode(data).decode()).encode()
    assert base64.b64decode(json.loads(b'"' + inside + b'"').removeprefix(prefix)) == data
    assert decoded(inside, cuts) == data


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 5], list(range(300))])
@pytest.mark.parametrize(
    ("inside", "error", "why"),
    [
        (b"QUJ", InvalidParameter, "within a group"),
        (b"QUJD*UJD", InvalidParameter, "base64"),
        (b"QQ==QUJD", InvalidParameter, "base64"),
        (b"Q===", InvalidParameter, "base64"),
        (b"QU_-", InvalidParameter, "base64"),
        ("QUJDä".encode(), InvalidParameter, "A-Z"),
        (b"QUJD\\u00e4", InvalidParameter, "A-Z"),
        (b"QUJD\\x41", MalformedUpload, "no JSON"),
        (b"QUJD\\u00", InvalidParameter, "within a group"),
        (b"data:image/png,QUJD", InvalidParameter, "prefix"),
        (b"data:image/png;base64", InvalidParameter, "within|prefix|base64"),
        (b"data:" + b"x" * 300, InvalidParameter, "prefix"),
        (b"QUJD\nQUJD", MalformedUpload, "control character"),
        (b"http://example.com/a.png", InvalidParameter, "base64"),
    ],
)
def test_what_is_not_base64_is_refused_by_the_name_of_its_field(
    inside: bytes, error: type[PixelmendError], why: str, cuts: list[int]
) -> None:
    with pytest.raises(error, match=why) as refusal:
        decoded(inside, cuts)
    assert "'image'" in refusal.value.message
