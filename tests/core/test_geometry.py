import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelmend.core.geometry import Rect, Size, Span

lengths = st.integers(1, 500)
factors = st.integers(1, 8)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start = draw(st.integers(0, 500))
    return Span(start, start + draw(lengths))


rects = st.builds(Rect, spans(), spans())


@given(spans(), factors, st.integers(0, 100))
def test_span_keeps_its_length_when_moved_and_multiplies_it_when_scaled(
    span: Span, factor: int, offset: int
) -> None:
    assert span.shift(offset).length == span.length
    assert span.shift(offset).shift(-offset) == span
    assert span.scale(factor).length == span.length * factor
    assert len(range(10_000)[span.as_slice()]) == span.length


@given(rects, rects, factors)
def test_containment_survives_scaling(outer: Rect, inner: Rect, factor: int) -> None:
    assert outer.scale(factor).contains(inner.scale(factor)) == outer.contains(inner)
    assert outer.contains(outer)


@given(rects, st.data())
def test_a_part_of_a_part_is_the_same_pixels(outer: Rect, data: st.DataObject) -> None:
    x = data.draw(st.integers(outer.x.start, outer.x.stop - 1))
    y = data.draw(st.integers(outer.y.start, outer.y.stop - 1))
    inner = Rect(Span(x, outer.x.stop), Span(y, outer.y.stop))
    assert outer.contains(inner)
    image = np.arange(1001 * 1001).reshape(1001, 1001)
    within = image[outer.as_slices()][inner.relative_to(outer).as_slices()]
    assert np.array_equal(within, image[inner.as_slices()])
    assert within.shape == (inner.size.height, inner.size.width)


@given(lengths, lengths, factors)
def test_size_scales_and_turns(width: int, height: int, factor: int) -> None:
    size = Size(width, height)
    assert size.scale(factor).pixels == size.pixels * factor**2
    assert size.transposed().transposed() == size
    assert str(size) == f"{width}x{height}"


@pytest.mark.parametrize(("width", "height"), [(0, 1), (1, 0), (-3, 4)])
def test_size_without_pixels_does_not_exist(width: int, height: int) -> None:
    with pytest.raises(ValueError, match=f"{width}x{height}"):
        Size(width, height)


@pytest.mark.parametrize(("start", "stop"), [(-1, 2), (3, 3), (4, 3)])
def test_span_without_length_does_not_exist(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match=rf"{start}\.\.{stop}"):
        Span(start, stop)
