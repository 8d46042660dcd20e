"""When the frames of a film are shown, and the segments that its work is cut into. Pure arithmetic."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

MIN_SEGMENT_S, MAX_SEGMENT_S = 5.0, 10.0
"""A segment ends at the first key frame after the minimum; without one, at the maximum."""
MAX_SEGMENT_FRAMES = 600
"""A segment of a film with an absurd rate ends here."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """pts: of every frame, ascending, in units of time_base_s seconds. durations: of every frame, in the same
    units. keys: those of `pts` at which decoding can begin.
    """

    time_base_s: Fraction
    pts: tuple[int, ...]
    durations: tuple[int, ...]
    keys: tuple[int, ...]

    @classmethod
    def of(
        cls, time_base_s: Fraction, shown: Sequence[tuple[int, int]], keys: Sequence[int], last: int
    ) -> "Timeline":
        """shown: time and duration of each packet, in any order; a duration of 0 is unknown. last: the
        duration of the last frame if its packet does not tell it.
        """
        told = dict(sorted(shown))
        pts = tuple(told)
        durations = [after - before for before, after in pairwise(pts)]
        if pts:
            durations.append(told[pts[-1]] or last)
        return cls(time_base_s, pts, tuple(durations), tuple(sorted(set(keys))))

    def __len__(self) -> int:
        return len(self.pts)

    @property
    def seconds(self) -> float:
        """From the first frame's beginning to the last one's end."""
        if not self.pts:
            return 0.0
        return float((self.pts[-1] + self.durations[-1] - self.pts[0]) * self.time_base_s)

    @property
    def average_rate(self) -> Fraction:
        """Frames in a second; 25 for a film that does not tell."""
        span_s = (self.pts[-1] + self.durations[-1] - self.pts[0]) * self.time_base_s if self.pts else 0
        return (Fraction(len(self)) / span_s).limit_denominator(1001) if span_s > 0 else Fraction(25)

    def index_of(self, pts: int) -> int | None:
        """The number of the frame that is shown then; None if there is none with exactly that time."""
        at = bisect_left(self.pts, pts)
        return at if at < len(self.pts) and self.pts[at] == pts else None

    def key_before(self, pts: int) -> int | None:
        """The latest time, at most `pts`, at which decoding can begin."""
        at = bisect_right(self.keys, pts)
        return self.keys[at - 1] if at else None

    def part(self, start_s: float, seconds: float | None) -> "Timeline":
        """The frames that are shown from `start_s` after the beginning on, for `seconds`."""
        if not self.pts:
            return self
        first = self.pts[0] + round(start_s / self.time_base_s)
        end = None if seconds is None else first + max(1, round(seconds / self.time_base_s))
        low = bisect_left(self.pts, first)
        high = len(self.pts) if end is None else max(low + 1, bisect_left(self.pts, end))
        return Timeline(self.time_base_s, self.pts[low:high], self.durations[low:high], self.keys)


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames from the one with the number `start` to the one before `stop`."""

    number: int
    start: int
    stop: int

    @property
    def frames(self) -> int:
        return self.stop - self.start


def plan_segments(timeline: Timeline) -> tuple[Segment, ...]:
    """Cut at key frames that are at least MIN_SEGMENT_S apart, or at MAX_SEGMENT_S or MAX_SEGMENT_FRAMES if
    there is no key frame before.
    """
    keys = set(timeline.keys)
    segments: list[Segment] = []
    start = 0
    for at in range(1, len(timeline) + 1):
        if at < len(timeline):
            long_s = (timeline.pts[at] - timeline.pts[start]) * timeline.time_base_s
            is_cut = long_s >= MIN_SEGMENT_S and timeline.pts[at] in keys
            if not is_cut and long_s < MAX_SEGMENT_S and at - start < MAX_SEGMENT_FRAMES:
                continue
        segments.append(Segment(len(segments), start, at))
        start = at
    return tuple(segment for segment in segments if segment.frames)


def decode_times(pts: Sequence[int]) -> list[int]:
    """Times at which packets are to be decoded, for their times of presentation in the order of decoding.

    The k-th packet is decoded when the k-th frame in order of presentation is shown, minus the greatest
    number of places that a packet comes before its turn. So times ascend, and none is later than its
    packet's presentation.
    """
    shown = sorted(pts)
    place = {time: number for number, time in enumerate(shown)}
    delay = max((number - place[time] for number, time in enumerate(pts)), default=0)
    if not delay:
        return list(shown)
    step = max(1, (shown[-1] - shown[0]) // max(1, len(shown) - 1))
    before = [shown[0] - step * (delay - number) for number in range(delay)]
    return before + shown[: len(shown) - delay]
