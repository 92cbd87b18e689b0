"""The command that says what moved a score."""

import json
from typing import Annotated

import typer

from ecgdash.settings import Settings

__all__ = ["explain"]


def explain(
    ecg_key: Annotated[str, typer.Argument(help="Key of a stored ECG, as `timeline` prints it.")],
    against: Annotated[
        str,
        typer.Option(
            help="zero: a flat line; previous: the previous analysable ECG; or an ECG's key."
        ),
    ] = "zero",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to stdout.")] = False,
) -> None:
    """Say what moved the scores of one ECG: lead by lead, and slot by slot."""
    from ecgdash.services.explaining import explain_ecg, family_terms, with_contributions
    from ecgdash.services.monitoring import timeline
    from ecgdash.services.scoring import load_engines, own_engines
    from ecgdash.store import open_store

    settings = Settings()
    store = open_store(settings.database_url)
    engines = load_engines(settings, few=True)
    cards = [engine.card for engine in engines]
    course = timeline(store, store.ecg(ecg_key).patient_key, cards)
    course = with_contributions(course, family_terms(cards, settings.models_dir))
    found = explain_ecg(store, own_engines(engines), course, ecg_key, against)
    typer.echo(json.dumps(found, allow_nan=False) if as_json else _words(found))


def _words(found: dict[str, object]) -> str:
    lines = [f"{found['family']}: {found['method']}, in logits. Supporting evidence only."]
    variants = found["variants"]
    assert isinstance(variants, dict)
    for name, told in variants.items():
        if told["score"] is None:
            lines.append(f"{name}: not applicable: {told['not_applicable']}")
            continue
        leads = sorted(told["leads"].items(), key=lambda item: -abs(item[1]))[:4]
        lines.append(
            f"{name}: score {told['score']:.2f}, this ECG {told['logit_without_history']:+.2f}; "
            + "most from "
            + ", ".join(f"{lead} {value:+.2f}" for lead, value in leads)
        )
        if "not_shown_logit" in told:
            lines.append(f"  rate and rhythm, not shown: {told['not_shown_logit']:+.2f}")
        lines += [
            f"  slot {slot['interval_days']:.0f} days before: {slot['contribution_logit']:+.2f}"
            for slot in told["history"]
            if not slot["imputed"]
        ]
    return "\n".join(lines)
