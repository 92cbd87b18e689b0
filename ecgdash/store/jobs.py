"""Locks with a heartbeat and visible progress: one process works, the others watch."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select, update

from ecgdash.errors import StoreBusy
from ecgdash.store.base import StoreBase
from ecgdash.store.objects import Job
from ecgdash.store.schema import jobs

__all__ = ["HEARTBEAT_LIMIT_S", "JobsPart"]

HEARTBEAT_LIMIT_S: Final = 30.0
"""A holder silent for longer counts as dead, and another may take over."""


class JobsPart(StoreBase):
    """The store's methods about work that one process does while others see its progress."""

    def take_job(self, name: str, holder: str, total: int = 0) -> bool:
        """Take the lock of a job; False if a living holder has it or the job is finished.

        A dead holder's progress stays, so that the work can go on from there.
        """
        now = datetime.now(UTC)
        with self._writing() as connection:
            row = connection.execute(select(jobs).where(jobs.c.name == name)).first()
            if row is None:
                values = {"done": 0, "total": total, "message": "", "finished": False}
                connection.execute(
                    insert(jobs).values(name=name, holder=holder, heartbeat_at=now, **values)
                )
                return True
            if row.finished or (row.holder not in (None, holder) and _alive(row, now)):
                return False
            connection.execute(
                update(jobs)
                .where(jobs.c.name == name)
                .values(holder=holder, heartbeat_at=now, total=max(total, row.total))
            )
            return True

    def beat(self, name: str, holder: str, done: int, total: int, message: str = "") -> None:
        """Give a sign of life with the progress so far.

        Raises
        ------
        StoreBusy
            If another holder has taken the job over meanwhile.
        """
        self._set(name, holder, done=done, total=total, message=message)

    def finish_job(self, name: str, holder: str) -> None:
        """Mark a job as done for good; raises `StoreBusy` if another holder has it."""
        self._set(name, holder, finished=True, holder=None)

    def release_job(self, name: str, holder: str) -> None:
        """Let go of an unfinished job, so that anybody may go on with it at once."""
        self._set(name, holder, holder=None)

    def reset_job(self, name: str) -> None:
        """Forget a job and its progress."""
        with self._writing() as connection:
            connection.execute(delete(jobs).where(jobs.c.name == name))

    def job(self, name: str) -> Job | None:
        """Return the progress of a job, or None if it was never begun."""
        with self._reading() as connection:
            row = connection.execute(select(jobs).where(jobs.c.name == name)).first()
        if row is None:
            return None
        alive = row.holder is not None and _alive(row, datetime.now(UTC))
        return Job(row.name, row.done, row.total, row.message, row.finished, alive)

    def _set(self, name: str, held_by: str, **values: Any) -> None:
        # `holder` may be among the new values, hence the other name of the argument.
        with self._writing() as connection:
            result = connection.execute(
                update(jobs)
                .where(jobs.c.name == name, jobs.c.holder == held_by)
                .values(heartbeat_at=datetime.now(UTC), **values)
            )
            if result.rowcount != 1:
                raise StoreBusy(
                    f"the work '{name}' is held by another process", todo="Wait until it is done"
                )


def _alive(row: Row[Any], now: datetime) -> bool:
    limit = timedelta(seconds=HEARTBEAT_LIMIT_S)
    silent_for: timedelta = now - row.heartbeat_at
    return silent_for < limit
