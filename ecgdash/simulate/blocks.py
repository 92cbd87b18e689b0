"""Patients drawn in blocks of fixed size, so that a cohort's size changes nobody in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.simulate.courses import draw_courses
from ecgdash.simulate.hearts import draw_hearts
from ecgdash.simulate.latent import LatentCohort, LatentPeople
from ecgdash.simulate.people import SITES, draw_people, force_class
from ecgdash.simulate.visits import (
    DiagnosisTable,
    EchoTable,
    Schedule,
    draw_diagnoses,
    draw_echoes,
    draw_schedule,
    draw_visits,
)

__all__ = ["BLOCK_SIZE", "PatientBlock", "block_starts", "cut", "draw_block", "draw_blocks"]

BLOCK_SIZE: Final = 500

ChangePeople = Callable[[np.random.Generator, LatentPeople], LatentPeople]


@dataclass(frozen=True, eq=False)
class PatientBlock:
    """Some patients with all that is known and hidden about them.

    Attributes
    ----------
    latent : LatentCohort
        n patients, m ECGs.
    schedule : Schedule
        The m ECGs.
    echoes : EchoTable
    diagnoses : DiagnosisTable
    visit_seed : uint64 (m,)
    patient_seed : uint64 (n,)
    """

    latent: LatentCohort
    schedule: Schedule
    echoes: EchoTable
    diagnoses: DiagnosisTable
    visit_seed: NDArray[np.uint64]
    patient_seed: NDArray[np.uint64]


def draw_blocks(n: int, seed: int, site: str, force: str, first_number: int) -> list[PatientBlock]:
    """Draw n patients.

    Parameters
    ----------
    n : int
    seed : int
    site : str
        Key of `people.SITES`.
    force : str
        Class that every one of them belongs to; "" for none.
    first_number : int
        Running number of the first one.
    """
    change = (lambda _, people: force_class(people, force)) if force else None
    return [
        cut(
            draw_block(
                np.random.default_rng([seed, SITES[site].code, *force.encode(), number]),
                first_number + start,
                site,
                change,
            ),
            size,
        )
        for number, (start, size) in enumerate(block_starts(n))
    ]


def block_starts(n: int) -> Iterator[tuple[int, int]]:
    """Yield start and size of each block of n patients."""
    for start in range(0, n, BLOCK_SIZE):
        yield start, min(BLOCK_SIZE, n - start)


def draw_block(
    rng: np.random.Generator, first_number: int, site: str, change: ChangePeople | None = None
) -> PatientBlock:
    """Draw `BLOCK_SIZE` patients with their visits, echoes and diagnoses.

    Parameters
    ----------
    rng : Generator
    first_number : int
        Running number of the first one.
    site : str
        Key of `people.SITES`.
    change : callable, optional
        Changes who they are before anything else follows from it.
    """
    people = draw_people(rng, BLOCK_SIZE, first_number, site)
    if change is not None:
        people = change(rng, people)
    courses = draw_courses(rng, people, site)
    hearts = draw_hearts(rng, people, courses)
    schedule = draw_schedule(rng, people, courses)
    visits = draw_visits(rng, people, schedule, site)
    return PatientBlock(
        LatentCohort(people, courses, hearts, visits),
        schedule,
        draw_echoes(rng, courses, schedule),
        draw_diagnoses(rng, people, courses, hearts, schedule),
        rng.integers(0, 2**63, len(schedule), dtype=np.uint64),
        rng.integers(0, 2**63, BLOCK_SIZE, dtype=np.uint64),
    )


def cut(block: PatientBlock, n: int) -> PatientBlock:
    """Keep the first n patients of a block, which is always drawn whole."""
    kept = block.schedule.patient < n
    index = np.arange(n)
    hidden = block.latent
    return PatientBlock(
        LatentCohort(
            hidden.people.take(index),
            hidden.courses.take(index),
            hidden.hearts.take(index),
            hidden.visits.take(kept),
        ),
        block.schedule.take(kept),
        block.echoes.take(block.echoes.patient < n),
        block.diagnoses.take(block.diagnoses.patient < n),
        block.visit_seed[kept],
        block.patient_seed[:n],
    )
