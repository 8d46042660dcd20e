"""What A1111's clients ask for while another of their requests waits."""

from collections.abc import Sequence
from typing import Any

from pixelmend.jobs.model import JobState
from pixelmend.jobs.snapshot import JobSnapshot


def progress_of(jobs: Sequence[JobSnapshot]) -> dict[str, Any]:
    """In their words, of one caller's jobs that have not ended. All is 0 if there are none."""
    pixels = sum(job.record.pixels for job in jobs)
    done = sum(job.fraction * job.record.pixels for job in jobs)
    running = [job for job in jobs if job.state is JobState.RUNNING]
    state = {
        "skipped": False,
        "interrupted": False,
        "job": running[0].record.id if running else "",
        "job_count": len(jobs),
        "job_no": 0,
        "sampling_step": sum(job.done_tiles for job in running),
        "sampling_steps": sum(job.total_tiles for job in running),
    }
    return {
        "progress": round(done / pixels, 4) if pixels else 0.0,
        "eta_relative": round(max((job.eta_s or 0.0 for job in jobs), default=0.0), 3),
        "state": state,
        "current_image": None,
        "textinfo": None,
    }
