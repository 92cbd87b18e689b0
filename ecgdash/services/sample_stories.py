"""Which simulated patients the sample data show, chosen by what a hospital can see.

A story is a rule over a patient's measured LVEFs, the times of the echoes and the
cart's statements; the first patients of a fixed cohort that keep it are taken.
Nothing hidden in the simulator has a part in the choice. Where a story has a
`skip`, candidates were passed over until one showed it with the scores of the
shipped family too: examples picked to be seen, no measure of how often that is so.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from ecgdash.domain import EcgRecord, EchoStudy, form_pairs
from ecgdash.domain.pairs import PAIRING_WINDOW_DAYS
from ecgdash.labels.statements import affirmed_findings
from ecgdash.services.cart_records import cart_records
from ecgdash.simulate.cohort import SimulatedCohort, simulate_patients

__all__ = [
    "STORIES",
    "Chosen",
    "Course",
    "Edit",
    "Story",
    "choose_patients",
    "echoes_on_file",
    "sample_cohort",
]

Edit = Literal["none", "no_echo", "echo_pending", "flat_lead", "limb_leads", "lead_i", "undated"]

COHORT_PATIENTS: Final = 6000
COHORT_SEED: Final = 41
COHORT_ENRICH: Final = {"LBBB": 300, "AFIB": 300}


@dataclass(frozen=True)
class Course:
    """What can be seen of a patient.

    Attributes
    ----------
    lvef_percent : tuple of float
        Of all echoes, in time order.
    n_ecgs : int
    findings : tuple of frozenset of str
        What the cart's statements affirm, per ECG.
    n_pending : int
        Echoes in pairing reach of the last ECG or later.
    days_since_echo : float
        From the last echo before those to the last ECG; infinite without one.
    """

    lvef_percent: tuple[float, ...]
    n_ecgs: int
    findings: tuple[frozenset[str], ...] = ()
    n_pending: int = 0
    days_since_echo: float = math.inf

    @property
    def known(self) -> tuple[float, ...]:
        """LVEFs that are on file while the echo for the last ECG is yet to be done."""
        return self.lvef_percent[: len(self.lvef_percent) - self.n_pending]

    @property
    def pending(self) -> tuple[float, ...]:
        """LVEFs that the echoes yet to be done will measure."""
        return self.lvef_percent[len(self.lvef_percent) - self.n_pending :]

    def always(self, *names: str) -> bool:
        """Whether every ECG shows one of these findings."""
        return all(found & set(names) for found in self.findings)

    def never(self, *names: str) -> bool:
        """Whether no ECG shows any of these findings."""
        return not any(found & set(names) for found in self.findings)


@dataclass(frozen=True)
class Story:
    """One kind of patient.

    Attributes
    ----------
    text : str
        What it shows, for the table in sample_data/README.md.
    lvef : callable
        Rule over the measured LVEFs, in time order.
    seen : callable
        Rule over the course with its findings.
    n_ecgs : tuple of int
        Fewest and most ECGs.
    count : int
        Patients to take.
    skip : int
        Candidates to pass over first.
    edit : str
        What is changed in the files.
    weeks_ago : int, optional
        When last seen, before the last day of the sample data; default: by its place.
    sampling_hz : float
    file_format : str
        "wfdb" or "muse".
    """

    text: str
    lvef: Callable[[tuple[float, ...]], bool]
    seen: Callable[[Course], bool] = lambda course: True
    n_ecgs: tuple[int, int] = (4, 9)
    count: int = 1
    skip: int = 0
    edit: Edit = "none"
    weeks_ago: int | None = None
    sampling_hz: float = 250.0
    file_format: str = "wfdb"


@dataclass(frozen=True)
class Chosen:
    """A patient of the cohort, taken for a story."""

    patient: int
    story: Story
    records: tuple[EcgRecord, ...]

    @property
    def code(self) -> str:
        """Id in the sample data, for instance SIM-0102."""
        return f"SIM-{self.patient:04d}"


_PLAIN: Final = ("AFIB", "AFL", "LBBB", "RBBB", "PACED")


def _sinus(course: Course) -> bool:
    return course.never(*_PLAIN)


def _unpaced(course: Course) -> bool:
    return course.never("PACED")


def _relapse(x: tuple[float, ...]) -> bool:
    best = max(range(len(x)), key=x.__getitem__)
    return x[best] >= 50 and min(x[:best], default=99) <= 35 and min(x[best:], default=99) <= 38


def _decline_unseen(course: Course, over_a_year: bool) -> bool:
    """Whether the last echo on file was normal and the one to come shows LVSD."""
    if not (_sinus(course) and course.known and course.pending):
        return False
    waits = (course.days_since_echo > 365) == over_a_year
    return waits and min(course.known) >= 50 and max(course.pending) <= 38


def _mild_unseen(course: Course) -> bool:
    """Whether LVEF was mildly reduced over a year ago and the echo to come shows LVSD."""
    known = course.known
    if not (_sinus(course) and known and course.pending and course.days_since_echo > 365):
        return False
    return min(known) > 40 and max(known) < 50 and max(course.pending) <= 38


def _block_unseen(course: Course) -> bool:
    return course.always(*_BLOCK) and len(course.known) >= 2 and len(course.pending) >= 1


_BLOCK: Final = ("LBBB",)
_FIB: Final = ("AFIB", "AFL")

STORIES: Final = (
    Story("recovery: a low LVEF comes back",
          lambda x: len(x) >= 3 and x[0] <= 30 and min(x[-2:]) >= 48, _sinus, count=2),
    Story("decline: LVEF falls to LVSD",
          lambda x: len(x) >= 3 and x[0] >= 55 and max(x[-2:]) <= 38, _sinus, count=2),
    Story("decline, in MUSE-like files at 500 Hz",
          lambda x: len(x) >= 3 and x[0] >= 50 and x[-1] <= 35, _sinus, file_format="muse",
          sampling_hz=500.0),
    Story("recovery, then relapse", lambda x: len(x) >= 4 and _relapse(x), _unpaced, (4, 10)),
    Story("stable and normal", lambda x: len(x) >= 3 and min(x) >= 55, _sinus, count=2),
    Story("stable and normal, in MUSE-like files", lambda x: len(x) >= 2 and min(x) >= 58,
          _sinus, file_format="muse"),
    Story("LVSD that stays", lambda x: len(x) >= 3 and max(x) <= 38, _sinus, count=2),
    Story("mildly reduced LVEF, 41 to 49 %",
          lambda x: len(x) >= 3 and min(x) > 40 and max(x) < 50, _sinus),
    Story("left bundle branch block, LVEF normal throughout",
          lambda x: len(x) >= 3 and min(x) >= 50, lambda c: c.always(*_BLOCK), count=2,
          skip=1),
    Story("left bundle branch block with LVSD",
          lambda x: len(x) >= 3 and max(x) <= 38, lambda c: c.always(*_BLOCK)),
    Story("atrial fibrillation, LVEF normal throughout",
          lambda x: len(x) >= 3 and min(x) >= 50, lambda c: c.always(*_FIB), (5, 10), 2),
    Story("atrial fibrillation, LVEF falls to LVSD",
          lambda x: len(x) >= 3 and x[0] >= 50 and x[-1] <= 38, lambda c: c.always(*_FIB),
          file_format="muse"),
    Story("right bundle branch block", lambda x: len(x) >= 2, lambda c: c.always("RBBB")),
    Story("no echo on file", lambda x: len(x) >= 1, _sinus, (3, 6), edit="no_echo"),
    Story("one ECG only", lambda x: len(x) == 1, _sinus, (1, 1), file_format="muse"),
    Story("poor quality: lead V3 is flat in the last ECG", lambda x: len(x) >= 3, _sinus, (4, 7),
          edit="flat_lead"),
    Story("paced rhythm: excluded from scoring", lambda x: len(x) >= 2,
          lambda c: c.always("PACED"), (2, 7)),
    Story("6-lead ECGs after a 12-lead one", lambda x: len(x) >= 3, _sinus, (4, 8),
          edit="limb_leads"),
    Story("1-lead ECGs after a 12-lead one", lambda x: len(x) >= 3, _sinus, (4, 8),
          edit="lead_i"),
    Story("one ECG without a date", lambda x: len(x) >= 2, _sinus, (4, 7), edit="undated"),
    Story("score rises past its threshold; last echo normal, over a year ago",
          lambda x: len(x) >= 2 and x[0] >= 50 and x[-1] <= 38,
          lambda c: _decline_unseen(c, over_a_year=True), skip=1, edit="echo_pending",
          weeks_ago=0),
    Story("mildly reduced LVEF, score rises past its threshold; last echo over a year ago",
          lambda x: len(x) >= 2 and x[0] < 50 and x[-1] <= 38, _mild_unseen, skip=3,
          edit="echo_pending", weeks_ago=1),
    Story("LVSD that stays, and no echo on file", lambda x: len(x) >= 2 and max(x) <= 38,
          _sinus, (3, 7), edit="no_echo", weeks_ago=2),
    Story("score rises past its threshold; last echo normal, within the year",
          lambda x: len(x) >= 2 and x[0] >= 50 and x[-1] <= 38,
          lambda c: _decline_unseen(c, over_a_year=False), edit="echo_pending", weeks_ago=1),
    Story("left bundle branch block, LVEF normal, next echo yet to be done",
          lambda x: len(x) >= 3 and min(x) >= 50, _block_unseen, (8, 9),
          edit="echo_pending", weeks_ago=2),
)  # fmt: skip
"""In the order of sample_data/README.md."""


def sample_cohort() -> SimulatedCohort:
    """Return the cohort that the sample patients are taken from."""
    return simulate_patients(COHORT_PATIENTS, COHORT_SEED, dict(COHORT_ENRICH))


def choose_patients(cohort: SimulatedCohort) -> Iterator[Chosen]:
    """Yield the patients of all stories, each patient once.

    Raises
    ------
    LookupError
        If the cohort holds too few patients for a story.
    """
    taken: set[int] = set()
    for story in STORIES:
        found = 0
        for chosen in _candidates(cohort, story, taken):
            found += 1
            if found <= story.skip:
                continue
            taken.add(chosen.patient)
            yield chosen
            if found == story.skip + story.count:
                break
        else:
            raise LookupError(f"too few patients for {story.text!r}: {found}")


def _candidates(cohort: SimulatedCohort, story: Story, taken: set[int]) -> Iterator[Chosen]:
    """Yield patients who keep a story's rules; waveforms only where the LVEFs fit."""
    fewest, most = story.n_ecgs
    for patient in range(cohort.n_patients):
        rows = cohort.ecgs_of(patient)
        if patient in taken or not fewest <= len(rows) <= most:
            continue
        echoes = cohort.echo_studies(patient)
        n_pairs = len(form_pairs(cohort.ecg_refs(patient), echoes))
        lvefs = tuple(study.lvef_percent for study in echoes)
        if n_pairs < len(lvefs) - 1 or not story.lvef(lvefs):
            continue
        records = _records(cohort, rows, story.sampling_hz)
        findings = tuple(frozenset(affirmed_findings(r.statements)) for r in records)
        on_file = echoes_on_file(cohort, patient)
        course = Course(
            lvefs,
            len(rows),
            findings,
            len(echoes) - len(on_file),
            _days_since(on_file, records[-1]),
        )
        if story.seen(course):
            yield Chosen(patient, story, records)


def echoes_on_file(cohort: SimulatedCohort, patient: int) -> list[EchoStudy]:
    """Return the echoes before the pairing window of the last ECG: the next is yet to be done."""
    last = max(ref.recorded_at for ref in cohort.ecg_refs(patient))
    opens = last - timedelta(days=PAIRING_WINDOW_DAYS)
    return [study for study in cohort.echo_studies(patient) if study.performed_at < opens]


def _days_since(echoes: list[EchoStudy], last: EcgRecord) -> float:
    if not echoes or last.recorded_at is None:
        return math.inf
    return (last.recorded_at - echoes[-1].performed_at) / timedelta(days=1)


def _records(cohort: SimulatedCohort, rows: range, sampling_hz: float) -> tuple[EcgRecord, ...]:
    batch = next(iter(cohort.iter_ecgs(len(rows), sampling_hz, list(rows))))
    return tuple(cart_records(batch, cohort, sampling_hz))
