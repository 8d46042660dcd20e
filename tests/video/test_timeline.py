"""Times of frames, and the segments between them."""

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pixelmend.video.timeline import (
    MAX_SEGMENT_FRAMES,
    MAX_SEGMENT_S,
    MIN_SEGMENT_S,
    Timeline,
    decode_times,
    plan_segments,
)

MS = Fraction(1, 1000)


def timeline(pts: list[int], keys: list[int] | None = None) -> Timeline:
    return Timeline.of(MS, [(time, 0) for time in pts], pts[:1] if keys is None else keys, 40)


def test_durations_follow_from_the_next_frame_and_the_last_one_from_its_packet() -> None:
    found = Timeline.of(MS, [(100, 0), (0, 50), (30, 0)], [0], last=70)
    assert (found.pts, found.durations) == ((0, 30, 100), (30, 70, 70))
    assert found.seconds == 0.17
    assert Timeline.of(MS, [(0, 0), (40, 25)], [0], last=70).durations[-1] == 25


def test_rate_of_a_film_without_frames_or_time_is_a_usual_one() -> None:
    assert timeline([]).average_rate == 25
    assert timeline([number * 40 for number in range(100)]).average_rate == 25
    assert timeline([0, 0, 0]).seconds == 0.04


def test_frames_and_key_frames_are_found_by_their_times() -> None:
    found = timeline([0, 40, 80, 200], keys=[0, 80])
    assert [found.index_of(time) for time in (0, 80, 81, 200, 400)] == [0, 2, None, 3, None]
    assert [found.key_before(time) for time in (-1, 0, 79, 80, 999)] == [None, 0, 0, 80, 80]


def test_a_part_has_at_least_a_frame_and_keeps_the_key_frames_before_it() -> None:
    found = timeline([number * 40 for number in range(100)], keys=[0, 2000])
    part = found.part(2.5, 0.1)
    assert part.pts == (2520, 2560, 2600)[: len(part)]
    assert part.key_before(part.pts[0]) == 2000
    assert len(found.part(0, 0.001)) == 1
    assert found.part(0, None) == found
    assert len(found.part(99, 1)) == 0


def test_segments_begin_at_key_frames_if_there_are_any_in_time() -> None:
    pts = [number * 40 for number in range(1000)]
    found = timeline(pts, keys=[0, 2000, 6000, 20000])
    segments = plan_segments(found)
    starts = [found.pts[segment.start] for segment in segments]
    assert starts == [0, 6000, 16000, 26000, 36000]  # 20000 is too soon after 16000


@given(
    steps=st.lists(st.integers(1, 4000), min_size=0, max_size=400),
    keys=st.sets(st.integers(0, 400), max_size=40),
)
def test_segments_partition_the_film_and_none_is_too_long(steps: list[int], keys: set[int]) -> None:
    pts = [0]
    for step in steps:
        pts.append(pts[-1] + step)
    found = timeline(pts, keys=[pts[number] for number in keys if number < len(pts)])
    segments = plan_segments(found)
    assert [segment.number for segment in segments] == list(range(len(segments)))
    assert segments[0].start == 0
    assert segments[-1].stop == len(pts)
    for before, after in pairwise(segments):
        assert before.stop == after.start
        long_s = (pts[after.start] - pts[before.start]) / 1000
        assert long_s >= min(MIN_SEGMENT_S, MAX_SEGMENT_S) or before.frames == MAX_SEGMENT_FRAMES
        # All but its last frame begin within the bound.
        assert (pts[after.start - 1] - pts[before.start]) / 1000 < MAX_SEGMENT_S


@given(
    st.lists(st.tuples(st.integers(-1000, 100_000), st.integers(0, 4)), min_size=1, unique_by=lambda e: e[0])
)
def test_packets_are_decoded_in_order_and_before_they_are_shown(frames: list[tuple[int, int]]) -> None:
    frames.sort()
    # An encoder sends a frame some places before those that need it.
    sent = [time for _, time in sorted((number - early, time) for number, (time, early) in enumerate(frames))]
    decoded = decode_times(sent)
    assert all(before < after for before, after in pairwise(decoded))
    assert all(at <= time for at, time in zip(decoded, sent, strict=True))
