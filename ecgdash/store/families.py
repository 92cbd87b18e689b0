"""Which family the site shows, where several are installed for one lead set and label."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select, update

from ecgdash.store.base import StoreBase
from ecgdash.store.schema import active_families, patients

__all__ = ["FamiliesPart"]


class FamiliesPart(StoreBase):
    """The store's methods about the active families."""

    def active_families(self) -> Mapping[tuple[str, str], str]:
        """Return the chosen families by lead set and label; nothing where none was chosen.

        A family may have been removed since: the choice says what was asked for.
        """
        with self._reading() as connection:
            rows = connection.execute(select(active_families))
            return {(row.lead_set, row.label): row.family for row in rows}

    def set_active_family(self, lead_set: str, label: str, family: str) -> None:
        """Keep a choice; every worklist row then counts as out of date.

        In one transaction, so that a stop between the two leaves no row unnoticed.
        """
        with self._writing() as connection:
            connection.execute(
                delete(active_families).where(
                    active_families.c.lead_set == lead_set, active_families.c.label == label
                )
            )
            connection.execute(
                insert(active_families).values(lead_set=lead_set, label=label, family=family)
            )
            connection.execute(update(patients).values(stale=True))
