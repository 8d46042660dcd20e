"""Makes an ICC profile for files that describe their colours by other means."""

from collections.abc import Callable

from pixelmend.imaging import icc
from pixelmend.imaging.colour import Chromaticities, Cicp, Colour

UNSPECIFIED = 2
_SRGB_PRIMARIES = 1
# ITU-T H.273, table 2: code -> chromaticities of white, red, green and blue
_D65, _C, _DCI, _E = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351), (1 / 3, 1 / 3)
_PRIMARIES: dict[int, Chromaticities] = {
    1: (_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    4: (_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: (_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: (_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    10: (_E, (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: (_DCI, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: (_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}
SRGB = _PRIMARIES[_SRGB_PRIMARIES]
_ADOBE_RGB = (_D65, (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
# H.273, table 3: video's curves, which differ in rounding only
_VIDEO = frozenset({1, 6, 11, 12, 14, 15})
_SRGB_TRANSFER = 13
_CURVES: dict[int, Callable[[], icc.Curve]] = {
    4: lambda: icc.gamma(2.2),
    5: lambda: icc.gamma(2.8),
    7: icc.smpte_240m,
    8: lambda: icc.gamma(1.0),
    9: lambda: icc.logarithmic(2.0),
    10: lambda: icc.logarithmic(2.5),
    _SRGB_TRANSFER: icc.srgb,
    16: icc.pq,
    17: lambda: icc.gamma(2.6),
    18: icc.hlg,
    **dict.fromkeys(_VIDEO, icc.video),
}
# Files with 45455 for 1/2.2 mean sRGB, as the PNG specification advises.
_SRGB_GAMMA, _GAMMA_TOLERANCE = 0.45455, 0.01
_CHROMATICITY_TOLERANCE = 0.003


ADOBE_RGB = Colour(file_gamma=256 / 563, chromaticities=_ADOBE_RGB)


def profile_for(colour: Colour, channels: int) -> bytes | None:
    """An ICC profile for pixels of 1 (grey) or 3 (RGB) channels that says what `colour` says.

    None if it says sRGB, which is what readers assume, or nothing that a profile can express. PQ and HLG get
    a curve that shows them toned down to a screen's range, and the code points for readers that know them.
    """
    if colour.cicp is not None:
        return _profile_of_code_points(colour.cicp, channels)
    primaries = colour.chromaticities or SRGB
    gamma = colour.file_gamma if colour.file_gamma is not None else _SRGB_GAMMA
    usual_curve = abs(gamma - _SRGB_GAMMA) < _GAMMA_TOLERANCE
    if usual_curve and (channels == 1 or _alike(primaries, SRGB)):
        return None
    curve = icc.srgb() if usual_curve else icc.gamma(1.0 / gamma)
    return icc.make_profile("from PNG gAMA and cHRM", primaries, curve, channels)


def is_known(cicp: Cicp) -> bool:
    """Whether the code points are known; a profile can then say the same, or is not needed."""
    known_primaries = cicp.primaries in _PRIMARIES or cicp.primaries == UNSPECIFIED
    return known_primaries and (cicp.transfer in _CURVES or cicp.transfer == UNSPECIFIED)


def _profile_of_code_points(cicp: Cicp, channels: int) -> bytes | None:
    primaries = cicp.primaries if cicp.primaries != UNSPECIFIED else _SRGB_PRIMARIES
    transfer = cicp.transfer if cicp.transfer != UNSPECIFIED else _SRGB_TRANSFER
    if not is_known(cicp):
        return None
    if transfer == _SRGB_TRANSFER or (transfer in _VIDEO and primaries == _SRGB_PRIMARIES):
        if primaries == _SRGB_PRIMARIES or channels == 1:
            return None
        transfer = _SRGB_TRANSFER
    name = f"H.273 primaries {primaries}, transfer {transfer}"
    code_points = (primaries, transfer) if channels == 3 else None
    return icc.make_profile(name, _PRIMARIES[primaries], _CURVES[transfer](), channels, code_points)


def _alike(one: Chromaticities, other: Chromaticities) -> bool:
    return all(
        abs(a - b) < _CHROMATICITY_TOLERANCE
        for first, second in zip(one, other, strict=True)
        for a, b in zip(first, second, strict=True)
    )
