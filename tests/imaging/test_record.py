"""The record inside a file: it is found again, replaces an earlier one, and costs nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmend.imaging.metadata import Metadata
from pixelmend.imaging.record import MAX_PACKET_BYTES, find_record, with_record

PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<r:Description r:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="me &amp; you"/>'
    b"</r:RDF></x:xmpmeta>"
)
RECORD = json.dumps({"options": {"text": "<&\"'> é"}})


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize("packet", [None, PACKET])
def test_a_record_is_found_again_and_replaces_an_earlier_one(as_text: bool, packet: bytes | None) -> None:
    plain = Metadata(xmp=packet, text=((b"tEXt", b"Comment\0kept"),))
    earlier = with_record(with_record(plain, '{"a": 1}', as_text=not as_text), '{"b": 2}', as_text=as_text)
    found = with_record(earlier, RECORD, as_text=as_text)
    assert find_record(found) == RECORD
    assert (found.xmp or b"").count(b"pixelmend:record=") + len(found.text) == 2
    assert found.text[0] == (b"tEXt", b"Comment\0kept")
    if packet is not None:
        assert b'dc:creator="me &amp; you"' in (found.xmp or b"")
    assert find_record(with_record(found, None, as_text=as_text)) is None
    assert with_record(plain, None, as_text=as_text) == plain


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_any_text_survives_xmp(text: str) -> None:
    assert find_record(with_record(Metadata(), text, as_text=False)) == text


def test_a_packet_that_has_no_room_or_is_of_another_kind_stays_as_it_was() -> None:
    full = PACKET.replace(b"me &amp; you", b"x" * MAX_PACKET_BYTES)
    for packet in (full, b"not xmp"):
        assert with_record(Metadata(xmp=packet), RECORD, as_text=False).xmp == packet


@pytest.mark.parametrize("form", [b"pixelmend:record='{}'", b"<pixelmend:record>{}</pixelmend:record>"])
def test_what_an_editor_made_of_it_is_read(form: bytes) -> None:
    assert find_record(Metadata(xmp=b"<a " + form + b">")) == "{}"
