"""The one `metadata` of all tables, and the column that many of them share."""

from sqlalchemy import Column, ForeignKey, Integer, MetaData

__all__ = ["metadata", "patient_link"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def patient_link(index: bool = False) -> Column[int]:
    """Return the column of a table that belongs to a patient and goes with the patient."""
    link = ForeignKey("patients.id", ondelete="CASCADE")
    return Column("patient", Integer, link, nullable=False, index=index)
