"""Subgroup flags: in whom a score may mean less, each with its source and evidence.

Sources are the cart's statements, measured intervals and dated diagnoses
(DESIGN decision 11). A flag that is not set means "unknown", never "absent".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

import numpy as np

from ecgdash.domain import Diagnosis, EcgRecord, Flag
from ecgdash.labels import criteria
from ecgdash.labels.statements import affirmed_findings
from ecgdash.signal.measure import Measurements, measure

__all__ = [
    "DIAGNOSIS_PREFIXES",
    "SUBGROUP_KEYS",
    "diagnoses_known_on",
    "flags_of",
    "flags_of_record",
    "own_measurements",
    "subgroups_of",
]

SUBGROUP_KEYS: Final = (
    "all",
    "sinus",
    "sinus_no_bbb",
    "AFIB",
    "LBBB",
    "RBBB",
    "PR>200",
    "QRS>140",
    "long_QTc",
    "IHD",
    "CKD",
    "DM",
    "HTN",
    "age<=70",
    "age>70",
    "male",
    "female",
)
"""Subgroups of paper 000 (Tables 3 and 5), as the contract spells them."""

PR_LIMIT_MS: Final = 200.0
QRS_LIMIT_MS: Final = 140.0
QTC_LIMIT_MS: Final = {"male": 450.0, "female": 470.0}
"""Limits of paper 000, footnotes of Tables 3 and 5."""
AGE_LIMIT_YEARS: Final = 70.0

_STATEMENT_FLAGS: Final = (
    ("AFIB", ("AFIB", "AFL")),  # the paper's subgroup is fibrillation or flutter
    ("LBBB", ("LBBB",)),
    ("RBBB", ("RBBB",)),
    ("sinus", ("SINUS",)),
    ("paced", ("PACED",)),
)

DIAGNOSIS_PREFIXES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "IHD": {
        "10": ("I20", "I21", "I22", "I23", "I24", "I25"),
        "9": ("410", "411", "412", "413", "414"),
    },
    "CKD": {"10": ("N18",), "9": ("585",)},
    "DM": {"10": ("E10", "E11", "E12", "E13", "E14"), "9": ("250",)},
    "HTN": {
        "10": ("I10", "I11", "I12", "I13", "I15", "I16"),
        "9": ("401", "402", "403", "404", "405"),
    },
}
"""Flag -> ICD revision -> beginnings of codes.

The paper names the diseases but not the codes: our choice, by the block
headings of WHO's ICD-10 (I20-I25, N18, E10-E14, I10-I15, with I16 of ICD-10-CM)
and the same diseases in ICD-9-CM.
"""


def flags_of(
    statements: Iterable[str],
    measurements: Mapping[str, float],
    sex: str | None,
    age_years: float | None,
    diagnoses: Sequence[Diagnosis],
    own: Measurements | None = None,
) -> tuple[Flag, ...]:
    """Return the flags of one ECG.

    Parameters
    ----------
    statements : iterable of str
        The cart's or over-reader's.
    measurements : mapping of str to float
        Keys of `MEASUREMENT_KEYS`, as the cart reported them.
    sex : {"male", "female"} or None
        Unknown: no flag that needs it.
    age_years : float or None
        No flag depends on it (`subgroups_of` does).
    diagnoses : sequence of Diagnosis
        Only those known on the day of the ECG (see `diagnoses_known_on`).
    own : Measurements of one record, optional
        Our measurement: fills what the cart did not report.

    Returns
    -------
    tuple of Flag
        One per name, the cart's statement before a measurement.
    """
    del age_years
    found = affirmed_findings(statements)
    flags = [*_from_statements(found)]
    if own is not None:
        flags += _from_shape(own)
    af = any(flag.name == "AFIB" for flag in flags)
    values = {**(own.as_cart() if own is not None else {}), **measurements}
    flags += _from_intervals(values, measurements, sex, af)
    if "1AVB" in found:
        flags.append(Flag("PR>200", "statement", found["1AVB"]))
    flags += _from_diagnoses(diagnoses)
    first = {flag.name: flag for flag in reversed(flags)}
    return tuple(sorted(first.values(), key=_rank))


def flags_of_record(record: EcgRecord, diagnoses: Sequence[Diagnosis] = ()) -> tuple[Flag, ...]:
    """Return the flags of a record, with intervals measured here where the cart gave none.

    Parameters
    ----------
    record : EcgRecord
    diagnoses : sequence of Diagnosis
        Of the patient; those recorded after the ECG, or all for an undated
        ECG, do not count.
    """
    known = diagnoses_known_on(diagnoses, record.local_day)
    own = own_measurements(record)
    return flags_of(
        record.statements, record.measurements, record.sex, record.age_years, known, own
    )


def own_measurements(record: EcgRecord) -> Measurements | None:
    """Measure a record; None for one too short, or without lead I."""
    return measure(record) if record.duration_s >= 2.0 and "I" in record.leads else None


def diagnoses_known_on(diagnoses: Iterable[Diagnosis], day: date | None) -> list[Diagnosis]:
    """Return the diagnoses recorded on or before a day; none where the day is unknown."""
    return [] if day is None else [item for item in diagnoses if item.recorded_on <= day]


def subgroups_of(flags: Iterable[Flag], age_years: float | None, sex: str | None) -> frozenset[str]:
    """Return the subgroups an ECG belongs to; "all" is always one.

    Parameters
    ----------
    flags : iterable of Flag
    age_years : float or None
        Above 120 (PTB-XL's 300) counts as over 70; negative as unknown.
    sex : {"male", "female"} or None
    """
    held = {flag.name for flag in flags} & set(SUBGROUP_KEYS)
    held.add("all")
    if "AFIB" in held:
        held.discard("sinus")
    if "sinus" in held and not held & {"LBBB", "RBBB"}:
        held.add("sinus_no_bbb")
    if age_years is not None and age_years >= 0:
        held.add("age>70" if age_years > AGE_LIMIT_YEARS else "age<=70")
    if sex in ("male", "female"):
        held.add(sex)
    return frozenset(held)


def _rank(flag: Flag) -> int:
    return SUBGROUP_KEYS.index(flag.name) if flag.name in SUBGROUP_KEYS else len(SUBGROUP_KEYS)


def _from_statements(found: Mapping[str, str]) -> Iterator[Flag]:
    for name, findings in _STATEMENT_FLAGS:
        texts = [found[finding] for finding in findings if finding in found]
        if texts:
            yield Flag(name, "statement", texts[0])


def _from_shape(own: Measurements) -> Iterator[Flag]:
    """Flag rhythm and conduction by the criteria of `ecgdash.labels.criteria`."""
    qrs = f"QRS {own.qrs_ms[0]:.0f} ms"
    if criteria.fibrillation(own)[0]:
        spread = f"RR intervals vary by {own.rr_cv[0]:.0%}"
        yield Flag("AFIB", "measurement", f"no consistent P wave, {spread}")
    elif criteria.flutter(own)[0]:
        yield Flag("AFIB", "measurement", "atrial activity of 4 to 6 Hz between the complexes")
    elif criteria.sinus(own)[0]:
        yield Flag("sinus", "measurement", "a consistent P wave before the complexes")
    if not np.isfinite(own.qrs_net_mv_ms[0, 6]):  # bundle branch block is judged in V1
        return
    if criteria.lbbb(own)[0]:
        yield Flag("LBBB", "measurement", f"{qrs}, negative V1, late R in I or V6")
    elif criteria.rbbb(own)[0]:
        yield Flag("RBBB", "measurement", f"{qrs}, late R in V1, S in I or V6")


def _from_intervals(
    values: Mapping[str, float], cart: Mapping[str, float], sex: str | None, af: bool
) -> Iterator[Flag]:
    def said(name: str, text: str) -> str:
        return text if name in cart else f"{text}, measured by ECGDash"

    pr, qrs = values.get("pr_ms"), values.get("qrs_ms")
    if pr is not None and pr > PR_LIMIT_MS and not af:
        yield Flag("PR>200", "measurement", said("pr_ms", f"PR {pr:.0f} ms"))
    if qrs is not None and qrs > QRS_LIMIT_MS:
        yield Flag("QRS>140", "measurement", said("qrs_ms", f"QRS {qrs:.0f} ms"))
    qtc, formula = _qtc(values)
    if qtc is not None and sex in QTC_LIMIT_MS and qtc > QTC_LIMIT_MS[sex]:
        yield Flag("long_QTc", "measurement", said("qt_ms", f"QTc {qtc:.0f} ms ({formula}), {sex}"))


def _qtc(values: Mapping[str, float]) -> tuple[float | None, str]:
    """Return QTc by Bazett from QT and rate, else the value as the cart corrected it."""
    qt, rate = values.get("qt_ms"), values.get("heart_rate_bpm")
    if qt is not None and rate is not None and qt > 0 and rate > 0:
        return qt * (rate / 60.0) ** 0.5, "Bazett"
    return values.get("qtc_ms"), "as the cart corrected it"


def _from_diagnoses(diagnoses: Iterable[Diagnosis]) -> Iterator[Flag]:
    for item in diagnoses:
        code = item.code.upper().replace(".", "").strip()
        for name, by_revision in DIAGNOSIS_PREFIXES.items():
            if code.startswith(by_revision.get(_icd_revision(item.code_system), ("\0",))):
                yield Flag(name, "diagnosis", f"{item.code} of {item.recorded_on.isoformat()}")


def _icd_revision(code_system: str) -> str:
    """Return "10" or "9", or "" for a code system that is not ICD."""
    folded = code_system.upper().replace("-", "").replace(" ", "").replace("_", "")
    for revision in ("10", "9"):
        if folded.startswith(("ICD" + revision, "ICD0" + revision)) or folded == revision:
            return revision
    return ""
