"""Changed bytes, as a strategy that shrinks to the fewest changes that matter."""

from hypothesis import strategies as st

TELLING = st.sampled_from(
    [b"\0", b"\xff", b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0" * 4, b"\x80\0\0\0", b"\xff" * 8, b"\0" * 8]
)
"""Lengths and offsets at which readers go wrong."""

Edit = tuple[str, int, bytes]


def edits(most: int = 6) -> st.SearchStrategy[list[Edit]]:
    one = st.tuples(
        st.sampled_from(["set", "set", "insert", "delete", "cut", "repeat"]),
        st.integers(0, 2**16 - 1),
        st.binary(min_size=1, max_size=8) | TELLING,
    )
    return st.lists(one, min_size=1, max_size=most)


def edited(data: bytes, changes: list[Edit]) -> bytes:
    """PrivatePaths are shares of the length, of 2**16; headers are met more often than the rest."""
    changed = bytearray(data)
    for n, (kind, place, value) in enumerate(changes):
        at = place * (min(len(changed), 256) if n % 2 else len(changed)) >> 16
        match kind:
            case "set":
                changed[at : at + len(value)] = value
            case "insert":
                changed[at:at] = value
            case "delete":
                del changed[at : at + len(value) ** 2]
            case "cut":
                del changed[at:]
            case _:
                changed[at:at] = changed[at : at + 8 * len(value)]
    return bytes(changed)
