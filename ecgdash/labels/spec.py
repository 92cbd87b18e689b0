"""What one of the 46 labels is, and the shapes of its rules and patterns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecgdash.labels.criteria import CONTIGUOUS
from ecgdash.signal.measure import Measurements

__all__ = ["LabelSpec", "above", "female_apart", "infarct_in", "inverted_t_in", "plain", "region"]

Bool = NDArray[np.bool_]
Rule = Callable[[Measurements, Bool, Bool], Bool]
Group = Literal["rhythm", "conduction", "ischaemia", "other", "number"]
Origin = Literal["stated", "our choice"]

REGION: Final = {
    "anterior": r"(?:anter\w*(?:-\w+)?|septal|\w+-?septal)",
    "inferior": r"(?:infer\w*(?:-\w+)?|\w+-?inferior)",
    "lateral": r"(?:\w*-?lateral)",
}
"""Region -> the words that name it; "inferolateral" names two."""

_LEADS: Final = " Leads: "
_NUMBER_WORDS: Final = {
    "qrs_ms": "QRS above {limit:g} ms",
    "qtc_ms": "QTc (Bazett) above {limit:g} ms",
    "heart_rate_bpm": "Heart rate above {limit:g} a minute",
}


@dataclass(frozen=True)
class LabelSpec:
    """One binary label.

    Attributes
    ----------
    name : str
    group : {"rhythm", "conduction", "ischaemia", "other", "number"}
    origin : {"stated", "our choice"}
        Whether paper 000 names it among its 46, or we had to choose.
    statement : str
        What a cart prints, in MUSE's English; empty: it prints only a number, or another
        statement says it.
    source : str
        Key of the criterion's source in `ecgdash.labels.criteria`.
    rule : callable
        (measurements, is_male, is_female) -> boolean array of shape (n,).
    pattern : str
        Regular expression that finds it in a lower-case English clause; empty: never said
        in words.
    scp : tuple of str
        SCP-ECG acronyms as PTB-XL spells them.
    snomed : tuple of str
        SNOMED CT codes of the PhysioNet/CinC 2021 challenge.
    aha : tuple of str
        Statement numbers of AHA 2007 (Mason et al.), as in the SPH data set.
    implies : tuple of str
        Labels that hold wherever this one is stated.
    """

    name: str
    group: Group
    origin: Origin
    statement: str
    source: str
    rule: Rule
    pattern: str = ""
    scp: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    aha: tuple[str, ...] = ()
    implies: tuple[str, ...] = ()

    @property
    def criterion(self) -> str:
        """The measured criterion in one sentence, as its function says it."""
        text, _, leads = (self.rule.__doc__ or "").partition(_LEADS)
        first = text.partition("\n")[0].rstrip(".")
        return f"{first}: {leads}" if leads else first


def _told(rule: Rule, words: str | None) -> Rule:
    """Give a rule the words of its criterion, for `LabelSpec.criterion`."""
    rule.__doc__ = words
    return rule


def plain(rule: Callable[[Measurements], Bool]) -> Rule:
    """Turn a criterion that ignores the sex into a rule."""
    return _told(lambda m, _male, _female: rule(m), rule.__doc__)


def female_apart(rule: Callable[[Measurements, Bool], Bool]) -> Rule:
    """Turn a criterion with a limit of its own for women into a rule."""
    return _told(lambda m, _male, female: rule(m, female), rule.__doc__)


def above(name: str, limit: float) -> Rule:
    """Return the rule that a measurement lies above a limit (NaN does not)."""
    return _told(
        lambda m, _male, _female: np.asarray(getattr(m, name) > limit),
        _NUMBER_WORDS[name].format(limit=limit),
    )


def region(rule: Callable[[Measurements, str], Bool], name: str) -> Rule:
    """Return the rule for one group of leads."""
    return _told(
        lambda m, _male, _female: rule(m, name),
        f"{rule.__doc__}{_LEADS}{', '.join(CONTIGUOUS[name])}",
    )


def infarct_in(name: str) -> str:
    """Return the pattern of an infarct, or of Q waves, in one region."""
    damage = r"(?:infarct\w*|mi|myocardial (?:damage|scar))\b"
    where = REGION[name]
    return (
        rf"\b{where}(?:[ /-]+(?!st\b|t\b|leads?\b)\w+){{0,4}}?[ /-]+{damage}"
        rf"|\b(?:infarct\w*|mi|q waves?|qs complex\w*) in (?:\w+ and )*{where}"
        rf"|\b{where} q[- ]waves?"
    )


def inverted_t_in(name: str) -> str:
    """Return the pattern of an abnormal (inverted, ischaemic) T wave in one region."""
    where = REGION[name]
    between = r"(?: (?:is|are|now|more|less|evident|present|in|the|no|longer))*"
    return (
        rf"\bt[- ]waves?\b[^;]*?(?<!or slight )(?<!or slightly )"
        rf"\b(?:inver\w+|abnormality|abnormalities){between}"
        rf" (?:\w+ (?:and|or) )*{where}"
        rf"|\b{where} t[- ]waves? (?:inver|abnorm)|\b{where} (?:myocardial )?ischa?em"
    )
