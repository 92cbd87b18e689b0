"""Read a table of scores (the Scores CSV of the contract) as pairs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ecgdash.domain import UNCALIBRATED, VARIANTS, EcgRef, EchoStudy, form_pairs
from ecgdash.domain.ecg import normalise_patient_id
from ecgdash.errors import TableError
from ecgdash.services.evaluation_pairs import PairTable

__all__ = ["SCORE_COLUMNS", "read_scores_csv"]

SCORE_COLUMNS = (
    "patient_id",
    "ecg_time",
    "variant",
    "score",
    "threshold",
    "lvef_percent",
    "lvef_time",
)


def read_scores_csv(path: Path) -> PairTable:
    """Return the pairs of a scores table: one row per ECG and variant.

    An ECG's score repeats its echo on every row; ECGs without an echo have
    empty LVEF cells. Pairs are formed by the same rules as everywhere (nearest
    ECG within 14 days); a patient's first pair is the baseline pair.

    Raises
    ------
    TableError
        If a column is missing, or a cell holds no usable value; the message
        names the row.
    """
    frame = _read_frame(path)
    ecgs = _ecgs(frame, path.name)
    pairs = []
    for patient in sorted(ecgs):
        own = ecgs[patient]
        refs = [EcgRef(str(at), at, at.date()) for at in own]
        echoes = {
            (entry["echo_at"], entry["lvef_percent"]): EchoStudy(
                patient, entry["echo_at"], entry["echo_at"].date(), entry["lvef_percent"]
            )
            for entry in own.values()
            if entry["lvef_percent"] is not None
        }
        for i, pair in enumerate(form_pairs(refs, list(echoes.values()))):
            entry = own[pair.ecg.recorded_at]
            pairs.append((patient, i > 0, pair.echo.lvef_percent, entry["scores"]))
    n_ecgs = sum(len(own) for own in ecgs.values())
    return _pair_table(path.name, len(ecgs), n_ecgs, pairs)


def _pair_table(
    name: str, n_patients: int, n_ecgs: int, pairs: list[tuple[str, bool, float, dict[str, Any]]]
) -> PairTable:
    named = {variant for *_, cells in pairs for variant in cells}
    order = [v for v in VARIANTS if v in named] + sorted(named - set(VARIANTS))
    unscored = (float("nan"), float("nan"))
    if UNCALIBRATED not in order:
        order.insert(0, UNCALIBRATED)
    columns = {v: np.array([cells.get(v, unscored) for *_, cells in pairs]) for v in order}
    columns = {v: values.reshape(-1, 2) for v, values in columns.items()}
    return PairTable(
        data=f"scores table {name}",
        patient=np.array([row[0] for row in pairs], dtype=str),
        follow_up=np.array([row[1] for row in pairs], dtype=bool),
        lvef_percent=np.array([row[2] for row in pairs], dtype=float),
        scores={v: values[:, 0] for v, values in columns.items()},
        thresholds={v: values[:, 1] for v, values in columns.items()},
        n_patients=n_patients,
        origins=dict.fromkeys(order, "column 'threshold' of the table"),
        counts={
            "n_ecgs": n_ecgs,
            "n_pairs": len(pairs),
            "n_ecgs_without_pair": n_ecgs - len(pairs),
        },
    )


def _read_frame(path: Path) -> Any:
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise TableError(
            "the scores table cannot be read",
            where=path.name,
            accepted=f"Expected a CSV with the columns {', '.join(SCORE_COLUMNS)}",
        ) from error
    missing = [name for name in SCORE_COLUMNS if name not in frame.columns]
    if missing or frame.empty:
        what = f"columns missing: {', '.join(missing)}" if missing else "the table has no rows"
        raise TableError(what, where=path.name, accepted=f"Expected: {', '.join(SCORE_COLUMNS)}")
    return frame


def _ecgs(frame: Any, name: str) -> dict[str, dict[datetime, dict[str, Any]]]:
    """Group the rows: patient -> ECG time -> its echo and scores by variant."""
    found: dict[str, dict[datetime, dict[str, Any]]] = {}
    for number, row in enumerate(frame.to_dict("records"), start=2):
        where = f"{name}, row {number}"
        patient = normalise_patient_id(row["patient_id"])
        if patient is None:
            raise TableError("patient_id is empty", where=where, todo="Give every row a patient")
        at = _time(row["ecg_time"], "ecg_time", where)
        entry = found.setdefault(patient, {}).setdefault(
            at, {"scores": {}, "lvef_percent": None, "echo_at": at}
        )
        _add_echo(entry, row, at, where)
        variant = row["variant"].strip()
        if variant in entry["scores"]:
            raise TableError(f"a second {variant!r} score of the same ECG", where=where)
        entry["scores"][variant] = (
            _number(row["score"], "score", where, (0.0, 1.0)),
            _number(row["threshold"], "threshold", where, (0.0, 1.0)),
        )
    return found


def _add_echo(entry: dict[str, Any], row: dict[str, str], at: datetime, where: str) -> None:
    lvef = _number(row["lvef_percent"], "lvef_percent", where, (0.0, 100.0))
    if np.isnan(lvef):
        return
    if lvef <= 1.0:
        raise TableError(
            f"lvef_percent is {lvef:g}: percent or fraction?", where=where, todo="Give percent"
        )
    if entry["lvef_percent"] not in (None, lvef):
        raise TableError("two different LVEFs for the same ECG", where=where)
    entry["lvef_percent"] = lvef
    if row["lvef_time"].strip():
        entry["echo_at"] = _time(row["lvef_time"], "lvef_time", where)


def _number(raw: str, column: str, where: str, limits: tuple[float, float]) -> float:
    """Return a cell as a number in the limits; NaN for an empty cell."""
    text = raw.strip()
    if not text or text.lower() in {"nan", "null", "none"}:
        return float("nan")
    low, high = limits
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise TableError(
            f"{column} is {text!r}",
            where=where,
            accepted=f"Accepted: {low:g} to {high:g}, or empty",
        )
    return value


def _time(raw: str, column: str, where: str) -> datetime:
    try:
        at = datetime.fromisoformat(raw.strip())
    except ValueError as error:
        raise TableError(
            f"{column} is {raw!r}",
            where=where,
            accepted="Accepted: ISO 8601, 2021-03-04T10:20+01:00",
        ) from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
