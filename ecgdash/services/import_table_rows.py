"""Echoes and diagnoses to the store: all tables of an import in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ecgdash.domain.patient import Diagnosis, EchoStudy, Patient
from ecgdash.services.import_audit import table_remarks
from ecgdash.services.import_report import TableOutcome
from ecgdash.services.import_tables import OneTable, ReadTables

if TYPE_CHECKING:
    from ecgdash.services.import_runs import ImportRun

__all__ = ["take_tables"]


def take_tables(run: "ImportRun", tables: ReadTables) -> tuple[TableOutcome, ...]:
    """Store every row; a killed import holds all of them or none.

    Parameters
    ----------
    run : ImportRun
    tables : ReadTables

    Returns
    -------
    tuple of TableOutcome
        Echoes first, in the order of the tables.
    """
    with run.store.transaction():
        echoes = [_echoes_added(run, table.items) for table in tables.echoes]
        diagnoses = [_diagnoses_added(run, table.items) for table in tables.diagnoses]
        n_echoes, n_diagnoses = run.store.brought_by(run.key)
    return (
        *_outcomes(tables.echoes, _settled(echoes, tables.echoes, n_echoes), "echo", run.now),
        *_outcomes(
            tables.diagnoses,
            _settled(diagnoses, tables.diagnoses, n_diagnoses),
            "diagnosis",
            run.now,
        ),
    )


def _patient_key(run: "ImportRun", code: str) -> str:
    return run.store.put_patient(Patient(code, run.site), simulated=run.simulated)


def _echoes_added(run: "ImportRun", items: Sequence[EchoStudy]) -> int:
    return sum(
        run.store.add_echo(_patient_key(run, study.patient_id), study, run.key) for study in items
    )


def _diagnoses_added(run: "ImportRun", items: Sequence[Diagnosis]) -> int:
    by_patient: dict[str, list[Diagnosis]] = {}
    for item in items:
        by_patient.setdefault(item.patient_id, []).append(item)
    return sum(
        run.store.add_diagnoses(_patient_key(run, code), group, run.key)
        for code, group in by_patient.items()
    )


def _settled(added: list[int], tables: Sequence[OneTable], n_brought: int) -> list[int]:
    """Return rows new by this import; a run that goes on may have stored all of them before."""
    if sum(added) == n_brought:
        return added
    settled = []
    for table in tables:
        settled.append(min(len(table.items), n_brought))
        n_brought -= settled[-1]
    return settled


def _outcomes(
    tables: Sequence[OneTable], n_new: list[int], noun: str, now: datetime
) -> list[TableOutcome]:
    return [
        TableOutcome(
            table.file,
            new,
            len(table.items) - new,
            (*table.problems, *(text for _, text in table_remarks(table.items, noun, now))),
            table.remarks,
        )
        for table, new in zip(tables, n_new, strict=True)
    ]
