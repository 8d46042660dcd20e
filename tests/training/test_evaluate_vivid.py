"""How networks are held against their teacher."""

from pathlib import Path

import numpy as np
import pytest

from training.degrade import blur
from training.evaluate_vivid import chosen, everyday, gradient_energy, standing
from training.photographs import Photograph
from training.photos import photo


def test_photographs_are_chosen_by_name_or_evenly() -> None:
    found = [Photograph(Path(f"{subject:04}-1.avif"), "", "", "") for subject in range(10)]
    assert [one.path.stem for one in chosen(found, 5)] == ["0000-1", "0002-1", "0004-1", "0006-1", "0008-1"]
    assert [one.path.stem for one in chosen(found, 5, ["0007-1", "0001-1"])] == ["0007-1", "0001-1"]
    with pytest.raises(ValueError, match="0077-1"):
        chosen(found, 5, ["0007-1", "0077-1"])


def test_what_a_standing_says() -> None:
    picture = photo("coffee")[:128, :128]
    low = everyday(picture, 4, 0)
    assert low.shape == (32, 32, 3)
    assert np.array_equal(low, everyday(picture, 4, 0))
    assert not np.array_equal(low, everyday(picture, 4, 1))
    same = standing(picture, picture, picture)
    assert same.haarpsi == pytest.approx(1.0, abs=1e-5)
    assert same.energy == 1.0
    assert same.shift == (0.0, 0.0, 0.0)
    lighter = np.minimum(picture, 253) + np.uint8(2)
    assert standing(lighter, picture, picture).shift == pytest.approx((2.0, 2.0, 2.0), abs=0.5)
    assert standing(blur(picture, np.full(2, 1.5)), picture, picture).energy < 0.6
    assert gradient_energy(np.full((8, 8, 3), 9, np.uint8)) == 0.0
