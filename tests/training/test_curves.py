"""Histories of runs and their pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from training import curves
from training.curves import Moment, draw_curves, note, read_history


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    for moment in (Moment(100, 0.02, 0.5, 0.1, -0.2), Moment(200, 0.01, 1.0, 0.2, 0.3)):
        note(tmp_path, moment)
    note(tmp_path, Moment(100, 0.03, 0.6, 0.1, 0.0))  # the run was taken up again from an earlier checkpoint
    assert read_history(tmp_path) == [Moment(100, 0.03, 0.6, 0.1, 0.0), Moment(200, 0.01, 1.0, 0.2, 0.3)]


def test_the_curve_goes_the_way_of_its_values() -> None:
    rising = draw_curves([Moment(step, 0.01, step / 10, 0.0, 0.0) for step in (1, 2, 3)])
    dark = np.asarray(rising)[curves.PANEL[1] + curves.MARGIN[1] :, :, :].max(axis=2) < 35

    def height_at(x: int) -> int:
        return int(np.flatnonzero(dark[:, x])[0])

    assert height_at(640) < height_at(360) < height_at(100)


def test_one_moment_can_be_drawn(tmp_path: Path) -> None:
    note(tmp_path, Moment(100, 0.02, 0.5, 0.1, -0.2))
    curves.main([str(tmp_path)])
    assert (tmp_path / curves.PICTURE).is_file()
