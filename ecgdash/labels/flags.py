"""Subgroup flags: in whom a score may mean less, each with its source and evidence.

Sources are the cart's statements, measurements, the 46-label head and dated diagnoses
(DESIGN decision 11). A flag that is not set means "unknown", never "absent".

Rhythm and conduction are judged by the sum of two logits, the measured criteria's and the
head's, unfitted: fitting the sum on real labels was no better (research, prototype). A
statement or a diagnosis stands on top and is never overruled by either.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ecgdash.domain import Diagnosis, EcgRecord, Flag
from ecgdash.domain.evidence import RuleEvidence
from ecgdash.labels.criteria import MAX_PR_OF_RR
from ecgdash.labels.diagnoses import diagnoses_known_on, diagnosis_flags
from ecgdash.labels.evidence import rule_evidence
from ecgdash.labels.statements import affirmed_findings
from ecgdash.signal.delineation import is_measurable
from ecgdash.signal.measure import Measurements, measure

__all__ = [
    "FLAG_RULES",
    "FlagRule",
    "Known",
    "combined_logit",
    "flags_of",
    "flags_of_record",
    "own_measurements",
    "qtc_of",
]

PR_LIMIT_MS: Final = 200.0
QRS_LIMIT_MS: Final = 140.0
QTC_LIMIT_MS: Final = {"male": 450.0, "female": 470.0}
"""Limits of paper 000, footnotes of Tables 3 and 5."""


@dataclass(frozen=True)
class FlagRule:
    """How one flag is raised.

    Attributes
    ----------
    name : str
    findings : tuple of str
        Affirmed by a statement, any of them raises the flag.
    labels : tuple of str
        Judged by the sum of rule and head; the strongest counts. Empty: by statement only.
    cut : float
        The sum above which the flag is raised (see `combined_logit`).
    rule_suffices : bool
        Whether measured criteria that hold raise the flag whatever the head says.
    """

    name: str
    findings: tuple[str, ...]
    labels: tuple[str, ...]
    cut: float = 0.0
    rule_suffices: bool = False


FLAG_RULES: Final = (
    FlagRule("wide_tachycardia", ("VT",), ("VT",)),
    # the paper's subgroup is fibrillation or flutter
    FlagRule("AFIB", ("AFIB", "AFL"), ("AF_OR_AFL",)),
    FlagRule("LBBB", ("LBBB",), ("LBBB",)),
    FlagRule("RBBB", ("RBBB",), ("RBBB",)),
    FlagRule("sinus", ("SINUS",), ("SINUS",)),
    # the gate excludes by spikes alone; the flag must not contradict it
    FlagRule("paced", ("PACED",), ("PACED",), rule_suffices=True),
    FlagRule("PVC", ("PVC",), ("PVC",)),
    FlagRule("prior_MI", ("MI",), ("Q_ANTERIOR", "Q_INFERIOR", "Q_LATERAL")),
)
"""In the order in which they are shown."""

_SHAPELESS_IN_TACHYCARDIA: Final = ("LBBB", "RBBB", "paced", "prior_MI", "sinus")
"""Not judged by shape in a wide complex tachycardia, where the shape does not name the cause."""

_ORDER: Final = (
    "wide_tachycardia",
    "paced",
    "AFIB",
    "LBBB",
    "RBBB",
    "QRS>140",
    "PR>200",
    "long_QTc",
    "PVC",
    "prior_MI",
    "IHD",
    "CKD",
    "DM",
    "HTN",
    "sinus",
)
_LEAST_SCORE: Final = 1.0 / (1.0 + math.exp(6.0))
_SOURCES: Final = ("statement", "measurement", "model", "diagnosis")


@dataclass(frozen=True)
class Known:
    """What is known of one ECG when flags are made.

    Attributes
    ----------
    statements : iterable of str
        The cart's or over-reader's.
    measurements, measured : mapping of str to float
        Keys of `MEASUREMENT_KEYS`: the cart's values, and ours for what it left out.
    sex : {"male", "female"} or None
        Unknown: no flag that needs it.
    rules : mapping of str to RuleEvidence
        By label (see `ecgdash.labels.evidence`).
    head : mapping of str to float
        The 46-label head's scores by label; empty: it was not run.
    """

    statements: Iterable[str] = ()
    measurements: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, float] = field(default_factory=dict)
    sex: str | None = None
    rules: Mapping[str, RuleEvidence] = field(default_factory=dict)
    head: Mapping[str, float] = field(default_factory=dict)


def flags_of(known: Known, diagnoses: Sequence[Diagnosis] = ()) -> tuple[Flag, ...]:
    """Return the flags of one ECG.

    Parameters
    ----------
    known : Known
    diagnoses : sequence of Diagnosis
        Only those known on the day of the ECG (see `diagnoses_known_on`).

    Returns
    -------
    tuple of Flag
        One per name and source; statements first within a name.
    """
    found = affirmed_findings(known.statements)
    tachycardia = "VT" in found or _is_raised(FLAG_RULES[0], known)
    flags: list[Flag] = []
    for rule in FLAG_RULES:
        flags += _from_statements(rule, found)
        if not (tachycardia and rule.name in _SHAPELESS_IN_TACHYCARDIA):
            flags += _from_signal(rule, known)
    flags = _without_contradicted_sinus(flags)
    has_af = any(flag.name == "AFIB" for flag in flags)
    flags += _from_intervals(known, af=has_af or tachycardia)
    if "PR>200" in found:
        flags.append(Flag("PR>200", "statement", found["PR>200"]))
    flags += diagnosis_flags(diagnoses, {flag.name for flag in flags})
    first = {(flag.name, flag.source): flag for flag in reversed(flags)}
    return tuple(sorted(first.values(), key=_rank))


def flags_of_record(record: EcgRecord, diagnoses: Sequence[Diagnosis] = ()) -> tuple[Flag, ...]:
    """Return the flags of a record by statements, measurements and diagnoses.

    Parameters
    ----------
    record : EcgRecord
    diagnoses : sequence of Diagnosis
        Of the patient; those recorded after the ECG, or all for an undated
        ECG, do not count.
    """
    own = own_measurements(record)
    known = Known(
        record.statements,
        record.measurements,
        {} if own is None else own.as_cart(),
        record.sex,
        {} if own is None else rule_evidence(own),
    )
    return flags_of(known, diagnoses_known_on(diagnoses, record.local_day))


def own_measurements(record: EcgRecord) -> Measurements | None:
    """Measure a record; None for one too short, or without lead I."""
    return measure(record) if is_measurable(record) else None


def combined_logit(label: str, known: Known) -> float | None:
    """Return the sum of the rule's and the head's logit; None where neither judged the label.

    Not fitted. The head's logit counts within +-6: a score of 0.9999 is no surer than 0.9975.
    """
    rule, score = known.rules.get(label), known.head.get(label)
    parts = [] if rule is None else [rule.logit]
    if score is not None:
        parts.append(_logit(score))
    return sum(parts) if parts else None


def _rank(flag: Flag) -> tuple[int, int]:
    return _ORDER.index(flag.name), _SOURCES.index(flag.source)


def _logit(score: float) -> float:
    clipped = min(max(score, _LEAST_SCORE), 1.0 - _LEAST_SCORE)
    return math.log(clipped / (1.0 - clipped))


def _strongest(rule: FlagRule, known: Known) -> tuple[str, float] | None:
    sums = [(label, combined_logit(label, known)) for label in rule.labels]
    judged = [(label, total) for label, total in sums if total is not None]
    return max(judged, key=lambda item: item[1]) if judged else None


def _is_raised(rule: FlagRule, known: Known) -> bool:
    strongest = _strongest(rule, known)
    if strongest is None:
        return False
    measured = known.rules.get(strongest[0])
    suffices = rule.rule_suffices and measured is not None and measured.logit > 0
    return suffices or strongest[1] > rule.cut


def _from_statements(rule: FlagRule, found: Mapping[str, str]) -> Iterator[Flag]:
    texts = [found[finding] for finding in rule.findings if finding in found]
    if texts:
        yield Flag(rule.name, "statement", texts[0])


def _from_signal(rule: FlagRule, known: Known) -> Iterator[Flag]:
    """Flag by rule and head together; each that speaks for it is named with its evidence."""
    strongest = _strongest(rule, known)
    if strongest is None or not _is_raised(rule, known):
        return
    label = strongest[0]
    measured, score = known.rules.get(label), known.head.get(label)
    if measured is not None and (measured.logit > 0 or score is None):
        yield Flag(rule.name, "measurement", measured.text)
    if score is not None and (score > 0.5 or measured is None or measured.logit <= 0):
        yield Flag(rule.name, "model", f"label head {score:.2f}")


def _without_contradicted_sinus(flags: list[Flag]) -> list[Flag]:
    """Leave out sinus rhythm by measurement or head where a statement or flag names another."""
    others = {flag.name for flag in flags} & {"AFIB", "paced", "wide_tachycardia"}
    return [f for f in flags if not (others and f.name == "sinus" and f.source != "statement")]


def _from_intervals(known: Known, *, af: bool) -> Iterator[Flag]:
    values = {**known.measured, **known.measurements}

    def said(name: str, text: str) -> str:
        return text if name in known.measurements else f"{text}, measured by ECGDash"

    pr, qrs = values.get("pr_ms"), values.get("qrs_ms")
    if pr is not None and pr > PR_LIMIT_MS and not af and _is_pr(known, values):
        yield Flag("PR>200", "measurement", said("pr_ms", f"PR {pr:.0f} ms"))
    if qrs is not None and qrs > QRS_LIMIT_MS:
        yield Flag("QRS>140", "measurement", said("qrs_ms", f"QRS {qrs:.0f} ms"))
    qtc, formula = qtc_of(values)
    if qtc is not None and known.sex in QTC_LIMIT_MS and qtc > QTC_LIMIT_MS[known.sex]:
        text = f"QTc {qtc:.0f} ms ({formula}), {known.sex}"
        yield Flag("long_QTc", "measurement", said("qt_ms", text))


def _is_pr(known: Known, values: Mapping[str, float]) -> bool:
    """Tell whether our PR may be one: far before QRS it is the T wave taken for P."""
    rate = values.get("heart_rate_bpm")
    if "pr_ms" in known.measurements or rate is None or rate <= 0:
        return True
    return values["pr_ms"] <= MAX_PR_OF_RR * 60_000.0 / rate


def qtc_of(values: Mapping[str, float]) -> tuple[float | None, str]:
    """Return QTc by Bazett from QT and rate, else the value as the cart corrected it."""
    qt, rate = values.get("qt_ms"), values.get("heart_rate_bpm")
    if qt is not None and rate is not None and qt > 0 and rate > 0:
        return qt * (rate / 60.0) ** 0.5, "Bazett"
    return values.get("qtc_ms"), "as the cart corrected it"
