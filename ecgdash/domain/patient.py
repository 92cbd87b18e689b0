"""Patients, echoes and diagnoses: what is known beside the ECG."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final, Literal

from ecgdash.domain.ecg import Sex, normalise_patient_id
from ecgdash.errors import InvalidValue

__all__ = ["ECHO_METHODS", "Diagnosis", "EchoMethod", "EchoNotes", "EchoStudy", "Patient"]

EchoMethod = Literal["simpson", "m-mode", "visual", "unknown"]

ECHO_METHODS: Final[tuple[EchoMethod, ...]] = ("simpson", "m-mode", "visual", "unknown")
"""In order of preference (paper 000, 'Definition of Key Variables'; unknown last: our choice)."""


@dataclass(frozen=True)
class Patient:
    """A person at a site: ids of two hospitals may coincide.

    `name` and `birth_date` are None unless names are kept (a setting), and stand in no
    `repr`: logs and tracebacks are made of them. Addresses are never kept: nothing shows them.
    """

    id: str
    site: str = "local"
    sex: Sex | None = None
    birth_year: int | None = None
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Refuse an empty id or site."""
        normal = normalise_patient_id(self.id)
        if not normal or not self.site.strip():
            raise InvalidValue(f"patient needs an id and a site, got {self.id!r} at {self.site!r}")
        object.__setattr__(self, "id", normal)


@dataclass(frozen=True)
class EchoNotes:
    """The free text of an echo report; kept only where a setting asks for it, and in no `repr`.

    Attributes
    ----------
    text : str
        The report as written.
    wall_motion, pulmonary_pressure : tuple of str
        What it says about them, one sentence each.
    """

    text: str = field(repr=False)
    wall_motion: tuple[str, ...] = field(default=(), repr=False)
    pulmonary_pressure: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class EchoStudy:
    """One transthoracic echocardiogram (TTE) with its measured LVEF.

    Attributes
    ----------
    lvef_percent : float
        Left ventricular ejection fraction, (0, 100], lower is worse.
    performed_at : datetime
        Aware, UTC; noon of the local day where the echo has no time.
    local_day : date
        Calendar day at the site.
    has_time : bool
        False: only the day is known, and rules use calendar days.
    key : str
        Store key; empty for a study that is not stored.
    report : EchoNotes or None
        None unless reports are kept. Two studies are the same whatever it says.
    """

    patient_id: str
    performed_at: datetime
    local_day: date
    lvef_percent: float
    method: EchoMethod = "unknown"
    has_time: bool = True
    key: str = ""
    report: EchoNotes | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse an LVEF outside (1, 100] and a naive time."""
        if not 1.0 < self.lvef_percent <= 100.0:
            raise InvalidValue(
                f"LVEF {self.lvef_percent:g} is not in percent",
                accepted="Accepted: above 1 and at most 100",
                todo="Percent or fraction? Give percent",
            )
        if self.method not in ECHO_METHODS:
            raise InvalidValue(
                f"echo method {self.method!r} is not known", accepted=f"Known: {ECHO_METHODS}"
            )
        if self.performed_at.tzinfo is None:
            raise InvalidValue(f"performed_at {self.performed_at} has no time zone")
        object.__setattr__(self, "performed_at", self.performed_at.astimezone(UTC))

    @property
    def lvsd(self) -> bool:
        """Left ventricular systolic dysfunction: LVEF <= 40 % (paper 000)."""
        return self.lvef_percent <= 40.0


@dataclass(frozen=True)
class Diagnosis:
    """A coded diagnosis; it flags only ECGs recorded on or after its day."""

    patient_id: str
    code_system: str
    code: str
    recorded_on: date
