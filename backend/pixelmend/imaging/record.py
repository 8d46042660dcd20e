"""The record of how a result was made, inside its file: a text chunk in PNG, an XMP property elsewhere.

The record is JSON in ASCII. What an image brings along from an earlier time is replaced, since it is true of
that image only.
"""

import re
from dataclasses import replace
from html import escape, unescape

from pixelmend.imaging.metadata import Metadata

KEYWORD = b"pixelmend"
NAMESPACE = b"urn:pixelmend:record:1"

MAX_PACKET_BYTES = 65_000
"""An XMP packet that would be larger than a JPEG's segment stays without a record, and so is kept."""

_TEXT, _MARK = b"tEXt", KEYWORD + b"\0"
_OURS = re.compile(
    rb'<[\w.-]{1,40}:Description [\w.-]{1,40}:about="" xmlns:pixelmend="%b" pixelmend:record="[^"]*"/>'
    % NAMESPACE
)
# Editors of metadata write properties as they like.
_RECORD = re.compile(rb"""pixelmend:record(?:="([^"]*)"|='([^']*)'|>([^<]*)<)""")
_END_OF_RDF = re.compile(rb"</([\w.-]+):RDF\s*>")
_EMPTY_PACKET = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"></rdf:RDF>'
    b'</x:xmpmeta><?xpacket end="w"?>'
)


def with_record(metadata: Metadata, record: str | None, *, as_text: bool) -> Metadata:
    """The metadata with this record and no other. as_text: as a text chunk of a PNG.

    record: ASCII; None leaves the metadata without one.
    """
    text = tuple(chunk for chunk in metadata.text if not _is_record(chunk))
    packet = _OURS.sub(b"", metadata.xmp) if metadata.xmp else metadata.xmp
    if record is not None and as_text:
        text = (*text, (_TEXT, _MARK + record.encode("ascii")))
    elif record is not None:
        packet = _with_property(packet, record)
    return replace(metadata, text=text, xmp=packet)


def find_record(metadata: Metadata) -> str | None:
    for chunk in metadata.text:
        if _is_record(chunk):
            return chunk[1][len(_MARK) :].decode("latin-1")
    found = _RECORD.search(metadata.xmp or b"")
    return unescape(found[found.lastindex or 0].decode(errors="replace")) if found else None


def _is_record(chunk: tuple[bytes, bytes]) -> bool:
    return chunk[0] == _TEXT and chunk[1].startswith(_MARK)


def _with_property(packet: bytes | None, record: str) -> bytes | None:
    """The packet as it is if it is not of the usual form, or would be too large."""
    base = packet or _EMPTY_PACKET
    ends = list(_END_OF_RDF.finditer(base))
    if not ends:
        return packet
    end, prefix = ends[-1].start(), ends[-1][1]
    added = b'<%b:Description %b:about="" xmlns:pixelmend="%b" pixelmend:record="%b"/>' % (
        prefix,
        prefix,
        NAMESPACE,
        escape(record).encode("ascii"),
    )
    whole = base[:end] + added + base[end:]
    return whole if len(whole) <= MAX_PACKET_BYTES else packet
