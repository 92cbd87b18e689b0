"""The store as one object."""

from ecgdash.store.actions import ActionsPart
from ecgdash.store.attributions import AttributionsPart
from ecgdash.store.ecgs import EcgsPart
from ecgdash.store.engine import open_engine
from ecgdash.store.evidence import EvidencePart
from ecgdash.store.families import FamiliesPart
from ecgdash.store.import_sources import SourcesPart
from ecgdash.store.import_undo import UndoPart
from ecgdash.store.imports import ImportsPart
from ecgdash.store.jobs import JobsPart
from ecgdash.store.patients import PatientsPart
from ecgdash.store.predictions import PredictionsPart
from ecgdash.store.worklist import WorklistPart

__all__ = ["Store", "open_store"]


class Store(
    PatientsPart,
    EcgsPart,
    EvidencePart,
    PredictionsPart,
    ImportsPart,
    SourcesPart,
    UndoPart,
    JobsPart,
    WorklistPart,
    ActionsPart,
    FamiliesPart,
    AttributionsPart,
):
    """Patients, ECGs, echoes, predictions and the worklist of one database.

    Safe to share between threads; `transaction` holds for the thread that opens it.
    """


def open_store(database_url: str) -> Store:
    """Open a store, made or migrated if need be.

    Parameters
    ----------
    database_url : str
        A SQLAlchemy address: ``sqlite:///PATH``, ``sqlite://`` for one in
        memory, or PostgreSQL.

    Raises
    ------
    SchemaTooNew
        If a later version of ECGDash wrote it.
    StoreError
        If it cannot be opened.
    """
    return Store(open_engine(database_url))
