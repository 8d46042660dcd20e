"""The job of an address, for its owner."""

from starlette.requests import Request

from pixelmend.api.service import Service
from pixelmend.core.errors import UnknownJob
from pixelmend.jobs.model import Job, JobRecord


async def own_job(service: Service, request: Request, job_id: str) -> Job | JobRecord:
    """Raises UnknownJob, which is also what another owner's job is."""
    caller = service.callers.identify(request)
    found = await service.jobs.find(job_id)
    record = found.record if isinstance(found, Job) else found
    if found is None or record is None or not service.callers.owns(caller, record.owner):
        raise UnknownJob(f"there is no job {job_id[:64]!r}")
    return found
