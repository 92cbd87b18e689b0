"""Fill a store with the sample patients: once, resumable, watched by others.

One process does the work under the store's lock and gives a sign of life after
every patient; any other sees the same progress. A patient is stored with all
ECGs and echoes in one transaction or not at all, so a killed fill goes on
where it stopped.
"""

import logging
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ecgdash.errors import NotFound, StoreBusy
from ecgdash.settings import Settings
from ecgdash.store import Store

if TYPE_CHECKING:
    from ecgdash.domain import Diagnosis, EchoStudy
    from ecgdash.services.scoring import ScoringEngine

__all__ = ["JOB", "SITE", "fill", "fill_progress"]

_LOG = logging.getLogger(__name__)

JOB: Final = "demo"
SITE: Final = "SIM"
"""Site of the sample patients."""

_POLL_S: Final = 0.5
_ECGS_PER_SCORING: Final = 32
"""Patients are scored once so many ECGs wait: networks run in passes of a fixed size, and one
patient alone leaves most of them half empty. Fewer, and the progress would be smoother."""

OnProgress = Callable[[int, int, str], None]
"""Told patients done, patients in all, and a sentence."""


@dataclass(frozen=True)
class FillProgress:
    """How far the filling is.

    Attributes
    ----------
    done, total : int
        Patients.
    message : str
        For instance "14 of 27 patients, 96 of 158 ECGs".
    finished : bool
        Nothing is left to do.
    alive : bool
        A process is at work.
    """

    done: int
    total: int
    message: str
    finished: bool
    alive: bool


def fill_progress(store: Store) -> FillProgress | None:
    """Return the progress of the filling, or None if it was never begun."""
    job = store.job(JOB)
    if job is None:
        return None
    return FillProgress(job.done, job.total, job.message, job.finished, job.alive)


def fill(store: Store, settings: Settings, on_progress: OnProgress | None = None) -> None:
    """Import and score the sample patients, or wait for the process that does.

    Returns when the store holds them all. Killed at any time, it can be called
    again; a second process takes over from a dead one.

    Parameters
    ----------
    store : Store
    settings : Settings
        `sample_dir` holds the files.
    on_progress : callable, optional

    Raises
    ------
    NotFound
        If there are no sample files.
    """
    tell = on_progress or (lambda done, total, message: None)
    files = _sample_files(settings.sample_dir)
    holder = f"{os.getpid()}-{secrets.token_hex(4)}"
    while True:
        if store.take_job(JOB, holder, len(files)):
            try:
                _Fill(store, settings, holder, tell).run(files)
            except StoreBusy:
                _LOG.info("another process has taken the filling over")
                continue
            except BaseException:
                _let_go(store, holder)
                raise
            return
        job = store.job(JOB)
        if job is not None:
            tell(job.done, job.total, job.message)
            if job.finished:
                return
        time.sleep(_POLL_S)


def _let_go(store: Store, holder: str) -> None:
    try:
        store.release_job(JOB, holder)
    except StoreBusy:
        _LOG.info("the lock of the filling had passed on already")


class _Fill:
    """One process at work."""

    def __init__(self, store: Store, settings: Settings, holder: str, tell: OnProgress) -> None:
        self.store = store
        self.settings = settings
        self.holder = holder
        self.tell = tell
        self.n_ecgs = 0

    def run(self, files: dict[str, list[Path]]) -> None:
        """Import patient by patient, and score them a few at a time."""
        from ecgdash.services.scoring import load_engines

        total_ecgs = sum(len(own) for own in files.values())
        self._report(0, len(files), total_ecgs)
        engines = load_engines(self.settings, few=True)
        echoes, diagnoses = _tables(self.settings)
        unscored: list[str] = []
        n_unscored = 0
        for done, (code, own) in enumerate(files.items(), start=1):
            self._take(code, own, echoes.get(code, []), diagnoses.get(code, []))
            unscored.append(code)
            n_unscored += len(own)
            if n_unscored >= _ECGS_PER_SCORING or done == len(files):
                self._score(unscored, engines)
                unscored, n_unscored = [], 0
            self.n_ecgs += len(own)
            self._report(done, len(files), total_ecgs)
        self.store.finish_job(JOB, self.holder)

    def _score(self, codes: Sequence[str], engines: "Sequence[ScoringEngine]") -> None:
        """Score what lacks a score, of an earlier process that was killed too."""
        from ecgdash.services.scoring import score_patients

        places = [f"{SITE}/{code}" for code in codes]
        keys = [found.key for place in places for found in self.store.find_patients(place)]
        score_patients(self.store, engines, keys)

    def _take(
        self,
        code: str,
        files: Sequence[Path],
        echoes: "Sequence[EchoStudy]",
        diagnoses: "Sequence[Diagnosis]",
    ) -> None:
        """Import one patient, unless that is done."""
        from ecgdash.io import read_ecg
        from ecgdash.services.importing import import_records

        if not self.store.find_patients(f"{SITE}/{code}"):
            records = [(path.name, read_ecg(path, zone=self.settings.zone)) for path in files]
            with self.store.transaction():
                import_records(
                    self.store,
                    records,
                    settings=self.settings,
                    site=SITE,
                    simulated=True,
                    echoes=echoes,
                    diagnoses=diagnoses,
                )

    def _report(self, done: int, total: int, total_ecgs: int) -> None:
        message = f"{done} of {total} patients, {self.n_ecgs} of {total_ecgs} ECGs"
        self.store.beat(JOB, self.holder, done, total, message)
        self.tell(done, total, message)


def _sample_files(folder: Path) -> dict[str, list[Path]]:
    """Return the ECG files of each sample patient, in order."""
    found = {
        place.name: sorted([*place.glob("*.hea"), *place.glob("*.xml")])
        for place in sorted((folder / "ecgs").glob("*"))
        if place.is_dir()
    }
    if not found:
        raise NotFound(
            f"no sample patients in {folder.name}",
            todo="Restore sample_data/ from the repository, or set ECGDASH_SAMPLE_DIR",
        )
    return found


def _tables(
    settings: Settings,
) -> "tuple[dict[str, list[EchoStudy]], dict[str, list[Diagnosis]]]":
    from ecgdash.io.tables import read_diagnoses_csv, read_echo_csv

    echoes: dict[str, list[EchoStudy]] = {}
    for study in read_echo_csv(settings.sample_dir / "echo.csv", settings.zone)[0]:
        echoes.setdefault(study.patient_id, []).append(study)
    diagnoses: dict[str, list[Diagnosis]] = {}
    for item in read_diagnoses_csv(settings.sample_dir / "diagnoses.csv")[0]:
        diagnoses.setdefault(item.patient_id, []).append(item)
    return echoes, diagnoses
