"""Connections and transactions, shared by the parts of the store."""

import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, Table, bindparam, insert, select, update

from ecgdash.errors import NotFound
from ecgdash.store.engine import READ
from ecgdash.store.schema import import_links, import_runs, patients

__all__ = ["StoreBase", "new_key"]

_KEY_BYTES = 12

# Statements that every file of an import runs are made once: SQLAlchemy takes longer to put one
# together, and to find what it compiled for it before, than the database takes to run it.
_MARK_STALE: Final = (
    update(patients).where(patients.c.id == bindparam("patient_id")).values(stale=True)
)


@cache
def _id_query(table: Table) -> Select[Any]:
    return select(table.c.id).where(table.c.key == bindparam("row_key"))


def new_key() -> str:
    """Return a random key for addresses: it tells nothing about the patient.

    Hexadecimal, so that no command line takes a key that begins with a hyphen for an option.
    """
    return secrets.token_hex(_KEY_BYTES)


class StoreBase:
    """Hands out connections; one thread's nested transactions are one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._local = threading.local()
        self._run_ids: dict[str, int] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make everything inside one transaction: all of it is kept, or nothing."""
        with self._writing():
            yield

    def close(self) -> None:
        """Give the connections back; the store must not be used afterwards."""
        self._engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        current: Connection | None = getattr(self._local, "connection", None)
        if current is not None:
            yield current
            return
        with self._engine.begin() as connection:
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        current: Connection | None = getattr(self._local, "connection", None)
        if current is not None:
            yield current
            return
        with self._engine.connect().execution_options(**READ) as connection:
            yield connection

    @staticmethod
    def _id_of(connection: Connection, table: Table, key: str) -> int:
        row_id: int | None = connection.execute(_id_query(table), {"row_key": key}).scalar()
        if row_id is None:
            raise NotFound(f"no row with key {key} in {table.name}", todo="Open it from the list")
        return row_id

    def _run_id(self, connection: Connection, key: str) -> int:
        """Return the id of an import; every file of it asks, and imports are never deleted."""
        if key not in self._run_ids:
            self._run_ids[key] = self._id_of(connection, import_runs, key)
        return self._run_ids[key]

    @staticmethod
    def _link_runs(connection: Connection, run: int | None, others: Iterable[int | None]) -> None:
        """Note that an import relies on those that brought what it was to bring."""
        if run is None:
            return
        known = select(import_links.c.relies_on).where(import_links.c.run == run)
        new = {other for other in others if other not in (None, run)}
        new -= set(connection.execute(known).scalars()) if new else set()
        if new:
            connection.execute(
                insert(import_links), [{"run": run, "relies_on": other} for other in sorted(new)]
            )

    @staticmethod
    def _mark_stale(connection: Connection, patient_id: int) -> None:
        connection.execute(_MARK_STALE, {"patient_id": patient_id})
