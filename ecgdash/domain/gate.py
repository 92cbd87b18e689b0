"""What the gate says about an ECG before any score."""

from dataclasses import dataclass
from typing import Final, Literal

from ecgdash.errors import InvalidValue

__all__ = ["GATE_STATUSES", "GateResult", "GateStatus"]

GateStatus = Literal["analysable", "poor_quality", "excluded"]
GATE_STATUSES: Final[tuple[GateStatus, ...]] = ("analysable", "poor_quality", "excluded")


@dataclass(frozen=True)
class GateResult:
    """Outcome of the gate.

    Attributes
    ----------
    status : {"analysable", "poor_quality", "excluded"}
        poor_quality: another recording could be scored; excluded: the models
        are not made for this person or rhythm.
    reasons : tuple of str
        Why it is withheld, in short sentences ("lead V2 is flat for 10.0 s").
    notes : tuple of str
        Remarks on an analysable ECG ("age unknown").
    """

    status: GateStatus
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a withheld score without a reason."""
        if self.status != "analysable" and not self.reasons:
            raise InvalidValue(f"gate status {self.status} without a reason")

    @property
    def analysable(self) -> bool:
        """Whether the models may score this ECG."""
        return self.status == "analysable"
