"""The states of a job: whatever happens to one, only what the table has takes place, and it ends once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pixelmend.core.errors import InternalError
from pixelmend.jobs.model import ENDED, TRANSITIONS, Job, JobEvent, JobRecord, JobState, next_state
from pixelmend.tasks.image import ImageTask
from pixelmend.tasks.options import ImageOptions


def new_job() -> Job:
    record = JobRecord("id", "upscale", "", "key", "digest", ImageOptions(), 1, 0.0, is_async=True)
    return Job.of(record, ImageTask("id", Path("in"), Path("out"), record.options, ()))


@given(st.sampled_from(JobState), st.sampled_from(JobEvent))
def test_what_the_table_lacks_is_a_bug(state: JobState, event: JobEvent) -> None:
    if event in TRANSITIONS.get(state, {}):
        assert next_state(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(ValueError, match=f"a job that is {state} cannot {event}"):
            next_state(state, event)


def test_every_state_is_reached_and_only_a_result_outlives_its_end() -> None:
    reached = {JobState.QUEUED}
    while more := {after for state in reached for after in TRANSITIONS.get(state, {}).values()} - reached:
        reached |= more
    assert reached == set(JobState)
    assert {state for state in ENDED if TRANSITIONS.get(state)} == {JobState.DONE}


def test_events_of_a_job_are_observed_until_the_observer_stops() -> None:
    job, seen = new_job(), list[JobState]()
    stop = job.observe(lambda: seen.append(job.state))
    job.transition(JobEvent.START)
    stop()
    job.transition(JobEvent.FINISH)
    assert seen == [JobState.RUNNING]


class LifeOfAJob(RuleBasedStateMachine):
    """Any events in any order, those that cannot happen included."""

    def __init__(self) -> None:
        super().__init__()
        self.job = new_job()
        self.seen = [self.job.state]
        self.starts = 0
        self.job.observe(lambda: self.seen.append(self.job.state))

    @rule(event=st.sampled_from(JobEvent))
    def happens(self, event: JobEvent) -> None:
        before = self.job.state
        if event not in TRANSITIONS.get(before, {}):
            with pytest.raises(ValueError, match="cannot"):
                self.job.transition(event)
            assert self.job.state is before
            return
        error = InternalError("by the test") if event is JobEvent.FAIL else None
        self.job.transition(event, error)
        self.starts += event is JobEvent.START
        assert self.job.state is TRANSITIONS[before][event]
        assert self.job.error is error

    @precondition(lambda self: self.job.state is JobState.RUNNING)
    @rule(done=st.integers(0, 9))
    def progresses(self, done: int) -> None:
        self.job.done_tiles, self.job.total_tiles = done, 9

    @invariant()
    def what_was_seen_is_a_walk_through_the_table(self) -> None:
        pairs = list(zip(self.seen, self.seen[1:], strict=False))
        assert all(after in TRANSITIONS[before].values() for before, after in pairs)
        assert self.seen[-1] is self.job.state
        assert sum(state in ENDED - {JobState.EXPIRED} for state in self.seen) <= 1

    @invariant()
    def clients_see_it_queued_until_its_first_start(self) -> None:
        expected = JobState.RUNNING if self.starts else JobState.QUEUED
        assert self.job.record.state is expected
        assert self.job.record.attempts == min(self.starts, 1)

    @invariant()
    def a_job_that_waits_has_no_progress(self) -> None:
        if self.job.state is JobState.QUEUED:
            assert self.job.fraction == 0.0


TestLifeOfAJob = LifeOfAJob.TestCase
