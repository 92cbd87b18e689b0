"""What all sessions share: the store, the cards and the engines, keyed by addresses and hashes.

Nothing that names a patient stands here: these objects live as long as the process, and what is
made of an ECG is kept by its waveform's hash.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ecgdash.domain import EcgRecord, FamilyCard
from ecgdash.settings import Settings
from ecgdash.store import Store, open_store

if TYPE_CHECKING:
    from ecgdash.domain.trust import FamilyTrust
    from ecgdash.inference import Engine
    from ecgdash.inference.precision_record import PrecisionRecord
    from ecgdash.services.explaining import Terms
    from ecgdash.services.family_figures import FamilyFigures
    from ecgdash.services.scoring import ScoringEngine
    from ecgdash.signal.median_leads import LeadBeat
    from ecgdash.store import StoredEcg

__all__ = [
    "cards",
    "engines",
    "family_figures",
    "family_precision",
    "family_trust",
    "history_terms",
    "lead_beat",
    "own_engines",
    "settings",
    "store",
]


def settings() -> Settings:
    """Read the settings from the environment."""
    return Settings()


@st.cache_resource(max_entries=4, show_spinner="Opening the store")
def _store(database_url: str) -> Store:
    return open_store(database_url)


def store(options: Settings) -> Store:
    """Return the store of the settings; one per address and process."""
    return _store(options.database_url)


@st.cache_resource(max_entries=2, show_spinner=False)
def _cards(models_dir: str, stamp: tuple[int, ...]) -> tuple[FamilyCard, ...]:
    from ecgdash.services.scoring import installed_cards

    return tuple(installed_cards(Settings(models_dir=Path(models_dir))))


@st.cache_resource(max_entries=2, show_spinner="Loading the models")
def _engines(models_dir: str, stamp: tuple[int, ...]) -> tuple["ScoringEngine", ...]:
    from ecgdash.services.scoring import load_engines

    return tuple(load_engines(Settings(models_dir=Path(models_dir))))


@st.cache_resource(max_entries=2, show_spinner=False)
def _history_terms(models_dir: str, stamp: tuple[int, ...]) -> "Terms":
    from ecgdash.services.explaining import family_terms

    return family_terms(_cards(models_dir, stamp), Path(models_dir))


def history_terms(options: Settings) -> "Terms":
    """Return what turns a history into logits, by family and variant; needs no network."""
    return _history_terms(str(options.models_dir), _stamp(options))


@st.cache_resource(max_entries=2, show_spinner=False)
def _family_figures(models_dir: str, stamp: tuple[int, ...]) -> dict[str, "FamilyFigures"]:
    from ecgdash.services.family_figures import installed_figures

    return installed_figures(Path(models_dir))


def family_figures(options: Settings) -> Mapping[str, "FamilyFigures"]:
    """Return the evaluations of the installed families, by family; none: not evaluated."""
    return _family_figures(str(options.models_dir), _stamp(options))


@st.cache_resource(max_entries=2, show_spinner=False)
def _family_trust(models_dir: str, stamp: tuple[int, ...]) -> dict[str, "FamilyTrust"]:
    from ecgdash.services.trust_file import installed_trust

    return installed_trust(Path(models_dir))


def family_trust(options: Settings) -> Mapping[str, "FamilyTrust"]:
    """Return how far maps can be trusted, by family; none: not measured."""
    return _family_trust(str(options.models_dir), _stamp(options))


@st.cache_resource(max_entries=2, show_spinner=False)
def _family_precision(models_dir: str, stamp: tuple[int, ...]) -> dict[str, "PrecisionRecord"]:
    from ecgdash.services.precision import installed_precision

    return installed_precision(Path(models_dir))


def family_precision(options: Settings) -> Mapping[str, "PrecisionRecord"]:
    """Return what lower precisions do to scores, by family; none: not measured."""
    return _family_precision(str(options.models_dir), _stamp(options))


def cards(options: Settings) -> Sequence[FamilyCard]:
    """Return the installed families."""
    return _cards(str(options.models_dir), _stamp(options))


def engines(options: Settings) -> Sequence["ScoringEngine"]:
    """Return every installed family, loaded and verified; none is an empty sequence."""
    return _engines(str(options.models_dir), _stamp(options))


def own_engines(options: Settings) -> Sequence["Engine"]:
    """Return the families of this house, whose networks can be looked into."""
    from ecgdash.services import scoring

    return scoring.own_engines(engines(options))


@st.cache_resource(max_entries=128, show_spinner=False)
def _lead_beat(
    sha256: str, window_s: tuple[float, float] | None, in_millivolts: bool, _record: EcgRecord
) -> "LeadBeat | None":
    from ecgdash.services.ecg_views import scored_beat

    return scored_beat(_record, window_s)


def lead_beat(record: EcgRecord, facts: "StoredEcg") -> "LeadBeat | None":
    """Return an ECG's median beat, kept by the waveform's hash; None if it has no beat."""
    return _lead_beat(facts.sha256, facts.gate.window_s, record.in_millivolts, record)


def _stamp(options: Settings) -> tuple[int, ...]:
    """Change whenever the manifest does; the manifest holds the weights' hashes."""
    manifest = options.models_dir / "manifest.toml"
    if not manifest.is_file():
        return ()
    facts = manifest.stat()
    return (facts.st_mtime_ns, facts.st_size)
