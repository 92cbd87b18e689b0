"""Where the facts of an import came from, as its report states them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select, update

from ecgdash.store.base import StoreBase
from ecgdash.store.schema import import_runs

__all__ = ["SourcesPart"]


class SourcesPart(StoreBase):
    """The store's methods about the sources of imports."""

    def set_import_sources(self, run_key: str, sources: Sequence[dict[str, Any]]) -> None:
        """Write down an import's sources, in place of those it had; values as JSON has them.

        Raises
        ------
        NotFound
            If there is no such import.
        """
        with self._writing() as connection:
            run = self._run_id(connection, run_key)
            connection.execute(
                update(import_runs).where(import_runs.c.id == run).values(sources=list(sources))
            )

    def import_sources(self, run_key: str) -> list[dict[str, Any]]:
        """Return an import's sources, in the order given; none where none were written down.

        Raises
        ------
        NotFound
            If there is no such import.
        """
        with self._reading() as connection:
            run = self._run_id(connection, run_key)
            found = connection.execute(
                select(import_runs.c.sources).where(import_runs.c.id == run)
            ).scalar()
        return list(found or ())
