"""The commands about a family's maps: how far to trust them, and what they show over a store."""

import json
import sys
from typing import Annotated

import numpy as np
import typer

from ecgdash.domain.attribution import WAVE_COLUMNS
from ecgdash.domain.trust import TRUST_MARKS, CohortMap, FamilyTrust, TrustCheck, verdict
from ecgdash.settings import Settings

__all__ = ["maps", "trust"]

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")]
_MARKS = {mark.key: mark for mark in TRUST_MARKS}


def trust(
    family: str,
    ecgs: Annotated[int, typer.Option(min=4, help="Simulated ECGs to check.")] = 120,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated patients.")] = 5001,
    as_json: AsJson = False,
) -> None:
    """Check how far a family's maps can be trusted, and install the figures on its card."""
    from ecgdash.inference import Engine
    from ecgdash.services.trust import measure_trust
    from ecgdash.services.trust_file import install_trust, trust_document

    models_dir = Settings().models_dir
    found = measure_trust(Engine.load(family, "cpu", models_dir), ecgs, seed, _say)
    install_trust(found, models_dir)
    if as_json:
        typer.echo(json.dumps(trust_document(found), indent=1, allow_nan=False))
        return
    for line in _trust_lines(found):
        typer.echo(line)


def maps(
    family: str,
    flag: Annotated[str | None, typer.Option(help="Only ECGs of a subgroup, as LBBB.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many ECGs.")] = None,
    variant: Annotated[str | None, typer.Option(help="One variant; else all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Average what moved a family's scores over the ECGs of the store, by lead and wave."""
    from ecgdash.inference import Engine
    from ecgdash.services.trust import cohort_map
    from ecgdash.services.trust_file import cohort_map_document
    from ecgdash.store import open_store

    settings = Settings()
    engine = Engine.load(family, "cpu", settings.models_dir)
    store = open_store(settings.database_url)
    names = engine.variants if variant is None else (variant,)
    found = {name: cohort_map(store, engine, name, flag, limit, _count) for name in names}
    if as_json:
        told = {name: cohort_map_document(one) for name, one in found.items()}
        document = {"family": family, "flag": flag, "reference": "zero", "variants": told}
        typer.echo(json.dumps(document, indent=1, allow_nan=False))
        return
    for name, one in found.items():
        for line in _map_lines(name, one):
            typer.echo(line)


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _count(done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        typer.echo(f"maps: {done} of {total} ECGs", err=True)


def _trust_lines(found: FamilyTrust) -> list[str]:
    lines = [f"{found.family}: {found.data}"]
    for variant, checks in found.checks.items():
        passed = sum(check.passed for check in checks)
        lines.append(
            f"{variant}: map reliability {verdict(checks)}, {passed} of {len(checks)} checks passed"
        )
        lines += [f"  {_check_line(check)}" for check in checks]
    return lines


def _check_line(check: TrustCheck) -> str:
    mark, found = _MARKS[check.key], check.result
    aside = "" if check.aside is None else f"; beside it {check.aside:.2f}"
    figure = (
        f"{100 * found.value:.2g} %"
        if check.key == "completeness"
        else f"{found.value:.2f} (quartiles {found.low:.2f} to {found.high:.2f}){aside}"
    )
    outcome = "passed" if check.passed else "not passed"
    return f"{mark.title}: {figure}, {outcome} ({mark.rule}), {check.n_ecgs} ECGs"


def _map_lines(variant: str, found: CohortMap) -> list[str]:
    leads, size = found.signed.leads, found.absolute.values
    order = np.argsort(-size, axis=None, kind="stable")[:8]
    lines = [f"{variant}: {found.n_ecgs} ECGs; mean logits, signed (size), largest cells first"]
    for place in order:
        lead, wave = np.unravel_index(place, size.shape)
        mean = found.signed.values[lead, wave]
        lines.append(f"  {leads[lead]} {WAVE_COLUMNS[wave]}: {mean:+.3f} ({size[lead, wave]:.3f})")
    return lines
