"""PREPARE and DEALLOCATE; EXECUTE is resolved before the queue, since its kind is that of what it executes.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
"""

from __future__ import annotations

from daap_local.athena import statements as s
from daap_local.athena.execution.context import Job
from daap_local.athena.faults import unsupported


def prepare(job: Job, statement: s.Prepare) -> None:
    """PREPARE name FROM statement."""
    if job.world.prepared is None:
        raise unsupported("PREPARE")
    job.world.prepared.save(job.request.work_group, statement.name, statement.statement)


def deallocate(job: Job, statement: s.Deallocate) -> None:
    """DEALLOCATE PREPARE name."""
    if job.world.prepared is None:
        raise unsupported("DEALLOCATE")
    job.world.prepared.drop(job.request.work_group, statement.name)
