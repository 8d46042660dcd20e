import pytest

from pixelmend.core.errors import InvalidParameter, OutputTooLarge
from pixelmend.core.geometry import Rect, Size, Span
from pixelmend.imaging.target import Target

SOURCE = Size(300, 200)


@pytest.mark.parametrize(
    ("target", "size"),
    [
        (Target(), (1200, 800)),
        (Target(scale=1), (300, 200)),
        (Target(scale=2.5), (750, 500)),
        (Target(scale=8), (2400, 1600)),
        (Target(width_px=500), (500, 333)),
        (Target(height_px=500), (750, 500)),
        (Target(width_px=300, height_px=1600), (300, 1600)),
    ],
)
def test_size_that_is_asked_for(target: Target, size: tuple[int, int]) -> None:
    assert target.size_for(SOURCE, model_scale=4, max_pixels=10**9) == Size(*size)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(scale=0.99), "scale=0.99"),
        (Target(scale=8.01), "8.01"),
        (Target(width_px=299), "width=299"),
        (Target(height_px=1601), "height=1601"),
        (Target(width_px=600, height_px=100), "height=100"),
    ],
)
def test_factors_outside_the_range_are_refused_by_name(target: Target, words: str) -> None:
    with pytest.raises(InvalidParameter, match=words):
        target.size_for(SOURCE, model_scale=4, max_pixels=10**9)


def test_scale_and_exact_size_exclude_each_other() -> None:
    with pytest.raises(InvalidParameter, match="exclude"):
        Target(scale=2, width_px=300)


def test_result_above_the_limit_is_refused_with_both_figures() -> None:
    assert Target(scale=4).size_for(SOURCE, 4, max_pixels=1200 * 800) == Size(1200, 800)
    with pytest.raises(OutputTooLarge, match=r"1200x800 px exceeds max_output_pixels=959999"):
        Target(scale=4).size_for(SOURCE, 4, max_pixels=1200 * 800 - 1)


def test_thin_image_keeps_at_least_a_pixel() -> None:
    assert Target(width_px=1000).size_for(Size(1000, 1), 4, 10**9) == Size(1000, 1)


@pytest.mark.parametrize(
    ("width", "height", "columns", "rows"),
    [
        (600, 400, (0, 300), (0, 200)),
        (512, 512, (50, 250), (0, 200)),
        (600, 200, (0, 300), (50, 150)),
        (601, 400, (0, 300), (0, 200)),
        (605, 400, (0, 300), (1, 199)),
        (300, 1600, (131, 169), (0, 200)),
    ],
)
def test_what_covers_a_size_is_the_middle_of_the_image(
    width: int, height: int, columns: tuple[int, int], rows: tuple[int, int]
) -> None:
    target = Target(width_px=width, height_px=height, covers=True)
    assert target.part_of(SOURCE) == Rect(Span(*columns), Span(*rows))
    assert target.size_for(SOURCE, 4, 10**9) == Size(width, height)
    assert Target(width_px=width, height_px=height).part_of(SOURCE).size == SOURCE


def test_covering_has_the_factors_of_the_part_that_is_left() -> None:
    assert Target(width_px=200, height_px=200, covers=True).size_for(SOURCE, 4, 10**9) == Size(200, 200)
    with pytest.raises(InvalidParameter, match="width=199"):
        Target(width_px=199, height_px=199, covers=True).size_for(SOURCE, 4, 10**9)
    thin = Target(width_px=8, height_px=8, covers=True)
    assert thin.part_of(Size(1000, 1)).size == Size(1, 1)


@pytest.mark.parametrize("side", [{}, {"scale": 2.0}, {"width_px": 500}, {"height_px": 500}])
def test_covering_needs_an_exact_size(side: dict[str, float]) -> None:
    with pytest.raises(InvalidParameter, match="fit=cover"):
        Target(covers=True, **side)  # type: ignore[arg-type]
