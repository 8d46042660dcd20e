"""That tiles leave no trace in the result."""

import numpy as np

from benchmarks import pictures
from benchmarks.context import Context
from benchmarks.report import Row, at_least
from benchmarks.service import Answer, Upscaler, started
from benchmarks.weights import compact_weights, rrdb_weights

SMALL_TILE_PX = 96
UNTILED_PX = 1024


def tiles(context: Context) -> list[Row]:
    """Tiled against untiled."""
    return _compact(context) + _rrdb(context)


def _compact(context: Context) -> list[Row]:
    weights, what = compact_weights(context.folder / "models")
    picture = pictures.as_png(pictures.photo(480, 400))
    rows = []
    for precision in context.machine.precisions:
        settings = {"models_dir": weights.parent, "precision": precision, "tile_px": UNTILED_PX}
        with started(context.folder / f"compact-{precision}", **settings) as service:
            whole = _untiled(service, picture, weights.stem)
            tiled = service.upscale(picture, model=weights.stem, tile=SMALL_TILE_PX)
        a, b = pictures.decoded(whole.body), pictures.decoded(tiled.body)
        off = np.abs(a.astype(np.int16) - b.astype(np.int16))
        rows.append(
            Row(
                f"compact x4, {whole.provenance.precision}: equal values, tiled against untiled",
                100 * float((off == 0).mean()),
                "%",
                at_least(100, "%"),
                f"{_tiling(whole, tiled)}; off by {off.max()} at most, {int((off > 0).sum())} values",
                {
                    "weights": what,
                    "unequal_values": int((off > 0).sum()),
                    "largest_difference": int(off.max()),
                },
            )
        )
    return rows


def _rrdb(context: Context) -> list[Row]:
    weights, what = rrdb_weights(context.folder / "models")
    picture = pictures.as_png(pictures.photo(400, 320))
    with started(context.folder / "rrdb-default", models_dir=weights.parent) as service:
        tiled = service.upscale(picture, model=weights.stem)
        context.ran("default tiles", tiled.seconds)
    settings = {"models_dir": weights.parent, "tile_px": UNTILED_PX}
    with started(context.folder / "rrdb-untiled", **settings) as service:
        whole = _untiled(service, picture, weights.stem)
        context.ran("untiled", whole.seconds)
    value = pictures.psnr_db(pictures.decoded(tiled.body), pictures.decoded(whole.body))
    note = _tiling(whole, tiled)
    if tiled.provenance.tiles == 1:
        note = f"the default tile holds the whole picture, nothing was compared; {note}"
    return [
        Row(
            f"RRDBNet x4, {whole.provenance.precision}: tiled against untiled",
            value if tiled.provenance.tiles > 1 else None,
            "dB",
            at_least(50, "dB"),
            note,
            {"weights": what, "tiles": tiled.provenance.tiles, "notes": whole.provenance.notes},
        )
    ]


def _untiled(service: Upscaler, picture: bytes, model: str) -> Answer:
    # The setting alone is an upper limit, under which the service may still find several tiles faster.
    answer = service.upscale(picture, model=model, tile=UNTILED_PX)
    if answer.provenance.tiles != 1:
        raise RuntimeError(f"{answer.provenance.tiles} tiles, but one of {UNTILED_PX} px was asked for")
    return answer


def _tiling(whole: Answer, tiled: Answer) -> str:
    return f"{tiled.provenance.tiles} tiles against {whole.provenance.tiles}"
