"""Writing small ICC profiles: primaries, a curve, and the code points of ITU-T H.273.

Layout after ICC.1:2022 (version 4.4), section 7; the `cicp` tag is its 9.2.17.
"""

import math
import struct
from collections.abc import Callable
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from pixelmend.imaging.colour import Chromaticities

Curve = bytes
"""An element of type `para` or `curv`: encoded value to light, both in [0, 1]."""

_D50 = np.array((0.9642, 1.0, 0.8249))
# Bradford's cone responses, ICC.1:2022 annex E
_BRADFORD = np.array(((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296)))
_TABLE_SIZE = 4096
_SDR_WHITE_NITS = 203.0  # ITU-R BT.2408-7, table 1
_HLG_PEAK_NITS, _HLG_SYSTEM_GAMMA = 1000.0, 1.2  # ITU-R BT.2100-2, table 5
_KNEE = 0.6


def gamma(exponent: float) -> Curve:
    """light = value ** exponent."""
    return _parametric(0, exponent)


def _parametric(kind: int, *values: float) -> Curve:
    return b"para" + struct.pack(f">4xH2x{len(values)}i", kind, *(_fixed(value) for value in values))


def _fixed(value: float) -> int:
    """The type s15Fixed16Number."""
    return round(max(-32768.0, min(32767.0, value)) * 65536.0)


def _table(light: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Curve:
    values = np.clip(light(np.linspace(0.0, 1.0, _TABLE_SIZE)), 0.0, 1.0)
    return b"curv" + struct.pack(">4xI", _TABLE_SIZE) + np.rint(values * 65535.0).astype(">u2").tobytes()


def _toned(white_is_one: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light up to `_KNEE` of diffuse white as it is, highlights rolled off towards 1."""
    rolled = _KNEE + (1.0 - _KNEE) * (1.0 - np.exp((_KNEE - white_is_one) / (1.0 - _KNEE)))
    return np.where(white_is_one <= _KNEE, white_is_one, rolled)


def _pq_light(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084, equation 4.1, toned."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = value ** (1.0 / m2)
    nits = 10_000.0 * (np.maximum(root - c1, 0.0) / (c2 - c3 * root)) ** (1.0 / m1)
    return _toned(nits / _SDR_WHITE_NITS)


def _hlg_light(value: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100-2, table 5: inverse OETF, then the system's gamma; toned."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(value <= 0.5, value**2 / 3.0, (np.exp((value - c) / a) + b) / 12.0)
    return _toned(_HLG_PEAK_NITS * scene**_HLG_SYSTEM_GAMMA / _SDR_WHITE_NITS)


def srgb() -> Curve:
    """IEC 61966-2-1: a power with slope and offset above a threshold, a straight line below."""
    return _parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def video() -> Curve:
    """ITU-R BT.709-6, inverted; it has the same shape."""
    return _parametric(3, 1 / 0.45, 1 / 1.099, 0.099 / 1.099, 1 / 4.5, 0.081)


def smpte_240m() -> Curve:
    """SMPTE ST 240, inverted; it has the same shape."""
    return _parametric(3, 1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4.0, 4.0 * 0.0228)


def logarithmic(decades: float) -> Curve:
    """ITU-T H.273, transfers 9 (2 decades) and 10 (2.5): light = 10 ** (decades * (value - 1))."""
    return _table(lambda value: np.where(value > 0.0, 10.0 ** (decades * (value - 1.0)), 0.0))


def pq() -> Curve:
    """Perceptual quantiser, toned down to a screen's range."""
    return _table(_pq_light)


def hlg() -> Curve:
    """Hybrid log-gamma, toned down to a screen's range."""
    return _table(_hlg_light)


def make_profile(
    name: str,
    primaries: Chromaticities,
    curve: Curve,
    channels: int,
    code_points: tuple[int, int] | None = None,
) -> bytes | None:
    """A display profile of 1 (grey) or 3 (RGB) channels; None if the chromaticities span no colours.

    name: ASCII. code_points: primaries and transfer for the `cicp` tag.
    """
    white, *colours = primaries
    adapted = _adapted(white, colours)
    if adapted is None:
        return None
    columns, adaptation = adapted
    tags: list[tuple[bytes, bytes]] = [
        (b"desc", _text(name)),
        (b"cprt", _text("CC0")),
        (b"wtpt", _xyz(_D50)),
        (b"chad", b"sf32" + struct.pack(">4x9i", *(_fixed(value) for value in adaptation.flat))),
    ]
    if channels == 1:
        tags.append((b"kTRC", curve))
    else:
        for letter, column in zip((b"r", b"g", b"b"), columns.T, strict=True):
            tags += [(letter + b"XYZ", _xyz(column)), (letter + b"TRC", curve)]
    if code_points is not None:
        tags.append((b"cicp", b"cicp" + struct.pack(">4xBBBB", *code_points, 0, 1)))
    return _assembled(tags, b"GRAY" if channels == 1 else b"RGB ")


def _adapted(
    white: tuple[float, float], colours: list[tuple[float, float]]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Columns with the XYZ of red, green and blue under D50, and the matrix that adapted them."""
    numbers = [value for pair in (white, *colours) for value in pair]
    if not all(math.isfinite(value) and -1.0 <= value <= 2.0 for value in numbers) or white[1] <= 0.01:
        return None
    spectrum = np.array([(x, y, 1.0 - x - y) for x, y in colours]).T
    if abs(np.linalg.det(spectrum)) < 1e-4:
        return None
    white_xyz = np.array((white[0], white[1], 1.0 - sum(white))) / white[1]
    columns = spectrum * np.linalg.solve(spectrum, white_xyz)
    cones = _BRADFORD @ white_xyz
    if (np.abs(cones) < 1e-6).any():
        return None
    adaptation = np.linalg.solve(_BRADFORD, np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD)
    return adaptation @ columns, adaptation


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">4xII2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(_fixed(float(value)) for value in values))


def _assembled(tags: list[tuple[bytes, bytes]], space: bytes) -> bytes:
    """Elements that are equal are stored once, as the curves of the three colours are."""
    elements = list(dict.fromkeys(element for _, element in tags))
    padded = [element + bytes(-len(element) % 4) for element in elements]
    start = 128 + 4 + 12 * len(tags)
    places = accumulate((len(element) for element in padded), initial=start)
    offsets = dict(zip(elements, places, strict=False))
    table = struct.pack(">I", len(tags)) + b"".join(
        struct.pack(">4sII", name, offsets[element], len(element)) for name, element in tags
    )
    size = start + sum(len(element) for element in padded)
    head = struct.pack(
        ">I4sI4s4s4s6H4s4sIIIQI3I4s",
        size, b"\0\0\0\0", 0x04400000, b"mntr", space, b"XYZ ", 2026, 1, 1, 0, 0, 0, b"acsp", b"\0\0\0\0",
        0, 0, 0, 0, 0, *(_fixed(float(value)) for value in _D50), b"\0\0\0\0",
    )  # fmt: skip
    return head.ljust(128, b"\0") + table + b"".join(padded)
