"""What can be wrong about a job."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class JobNotFound(Failure):
    """The account has no job of this kind with this id."""

    job_id: str


class TooManyJobs(Failure):
    """The account has as many jobs of this kind waiting as it can."""

    limit: int


class JobLost(Failure):
    """Somebody else has the job by now, or it was ended: whoever worked on it must leave it alone."""


class JobNotParked(Failure):
    """Only a job that was parked after too many tries can be released."""

    job_id: str
    state: str


class LaneTaken(Failure):
    """Another worker took a job of the same account and lane at the same moment."""
