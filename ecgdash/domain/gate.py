"""What the gate says about an ECG before any score: typed findings and what follows from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from ecgdash.errors import InvalidValue

__all__ = [
    "GATE_CODES",
    "GATE_EFFECTS",
    "GATE_STATUSES",
    "GateCode",
    "GateEffect",
    "GateFinding",
    "GateResult",
    "GateStatus",
]

GateStatus = Literal["analysable", "poor_quality", "excluded"]
GATE_STATUSES: Final[tuple[GateStatus, ...]] = get_args(GateStatus)

GateEffect = Literal["excludes", "withholds", "notes"]
GATE_EFFECTS: Final[tuple[GateEffect, ...]] = get_args(GateEffect)

GateCode = Literal[
    "age",  # not an adult
    "age_unknown",  # none stated, or none that is an age
    "pacing",
    "length",
    "missing_leads",
    "missing_samples",
    "flat",
    "amplitude",  # a lead beyond what a heart gives, or without any trace
    "clipped",
    "duplicated_leads",
    "arbitrary_units",  # standardised by the data set: no millivolts
    "scale",  # unit or gain of the whole ECG
    "limb_swap",  # electrodes or lead names exchanged
    "limb_inconsistent",  # against Einthoven's and Goldberger's laws
    "baseline",
    "noise",
    "trimmed",  # padding cut off at an end
    "window",  # the best 10 s of a longer recording
    "earlier_version",  # stored before findings were typed
]
GATE_CODES: Final[tuple[GateCode, ...]] = get_args(GateCode)


@dataclass(frozen=True)
class GateFinding:
    """One thing that the gate found.

    Attributes
    ----------
    code : str
        What it is about, one of `GATE_CODES`.
    effect : {"excludes", "withholds", "notes"}
        excludes: the models are not made for this person or rhythm; withholds: another
        recording could be scored; notes: to be known, the score stands.
    text : str
        One short sentence ("lead V2 is flat for 10.0 s").
    leads : tuple of str
        The leads concerned; empty: the whole ECG.
    """

    code: GateCode
    effect: GateEffect
    text: str
    leads: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse words that are not in the tables, and a finding that says nothing."""
        if self.code not in GATE_CODES or self.effect not in GATE_EFFECTS:
            raise InvalidValue(f"gate finding {self.code!r} that {self.effect!r}")
        if not self.text:
            raise InvalidValue(f"gate finding {self.code} without a sentence")


@dataclass(frozen=True)
class GateResult:
    """Outcome of the gate.

    Attributes
    ----------
    findings : tuple of GateFinding
    window_s : (float, float) or None
        Start and stop of the stretch that is judged and scored, seconds from the first
        sample; None: judged by a version that did not keep it.
    """

    findings: tuple[GateFinding, ...] = ()
    window_s: tuple[float, float] | None = None

    @property
    def status(self) -> GateStatus:
        """The status that follows from the findings: the strongest effect decides."""
        effects = {finding.effect for finding in self.findings}
        if "excludes" in effects:
            return "excluded"
        return "poor_quality" if "withholds" in effects else "analysable"

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the score is withheld, what excludes first; empty for an analysable ECG."""
        return (*self._texts("excludes"), *self._texts("withholds"))

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks that withhold nothing ("age unknown")."""
        return tuple(self._texts("notes"))

    @property
    def analysable(self) -> bool:
        """Whether the models may score this ECG."""
        return self.status == "analysable"

    def _texts(self, effect: GateEffect) -> Iterator[str]:
        return (finding.text for finding in self.findings if finding.effect == effect)
