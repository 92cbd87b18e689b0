"""Simulated cohorts of patients with ECGs, echoes and diagnoses.

Patients are drawn in fixed blocks, so patient k of a seed is the same person in
a cohort of any size.
"""

from collections.abc import Mapping

from ecgdash.errors import InvalidValue
from ecgdash.simulate.blocks import draw_blocks
from ecgdash.simulate.observables import EcgBatch, SimulatedCohort, assemble
from ecgdash.simulate.people import SITES, check_class
from ecgdash.simulate.pretraining import pretraining_ecgs

__all__ = ["EcgBatch", "SimulatedCohort", "pretraining_ecgs", "simulate_patients"]


def simulate_patients(
    n: int, seed: int, enrich: Mapping[str, int] | None = None, site: str = "A"
) -> SimulatedCohort:
    """Simulate a cohort of patients with ECGs, echoes and diagnoses.

    Parameters
    ----------
    n : int
        Patients of the plain cohort, at least 1.
    seed : int
        0 or more. Seeds below 1000 are for tuning; results are reported on others.
    enrich : mapping of str to int, optional
        Patients to add by class (`people.FORCED_CLASSES`), labelled in
        `SimulatedCohort.enriched_as`; the plain cohort stays the same.
    site : str
        Key of `people.SITES`.

    Returns
    -------
    SimulatedCohort
    """
    if n < 1 or seed < 0:
        raise InvalidValue(f"cannot simulate {n} patients with seed {seed}")
    if site not in SITES:
        raise InvalidValue(f"no site {site!r}", accepted=f"Accepted: {', '.join(SITES)}")
    blocks = draw_blocks(n, seed, site, "", 0)
    labels = [""] * n
    for name, extra in (enrich or {}).items():
        check_class(name)
        blocks += draw_blocks(extra, seed, site, name, len(labels))
        labels += [name] * extra
    return assemble(blocks, seed, site, labels)
