"""Builds a patient's timeline from what is stored; computes no score itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ecgdash.domain.leads import LeadSet
from ecgdash.domain.model import VARIANTS, FamilyCard
from ecgdash.domain.pairs import form_pairs
from ecgdash.domain.patient import Diagnosis
from ecgdash.domain.prediction import NotApplicable, Prediction, VariantScore
from ecgdash.domain.timeline import Flag, RiskTimeline, TimelineEcho, TimelinePoint
from ecgdash.errors import NotFound
from ecgdash.services.changes import ScoredEcg, change_between, logit
from ecgdash.services.families import active_order, cards_by_lead_set
from ecgdash.services.import_privacy import find_by_original_id
from ecgdash.services.other_models import other_scores
from ecgdash.settings import Settings
from ecgdash.store import Store, StoredEcg, StoredPatient

__all__ = ["NOT_SCORED", "find_patient", "no_model", "timeline"]

NOT_SCORED = "not scored yet"


def no_model(lead_set: str) -> str:
    """Return why an ECG of a lead set has no score where no family is installed."""
    leads = "1 lead" if lead_set == "1" else f"{lead_set} leads"
    return f"no model installed for {leads}"


def find_patient(store: Store, reference: str, settings: Settings | None = None) -> StoredPatient:
    """Return the patient that a key, an id or ``SITE/ID`` names.

    Parameters
    ----------
    store : Store
    reference : str
    settings : Settings, optional
        Where ids are hidden behind a key, the original one serves too.

    Raises
    ------
    NotFound
        If nobody or more than one patient is meant.
    """
    found = (
        store.find_patients(reference)
        if settings is None
        else find_by_original_id(store, reference, settings)
    )
    by_key = [patient for patient in found if patient.key == reference]
    if by_key:
        return by_key[0]
    if not found:
        raise NotFound(
            "no such patient in this store",
            accepted="A patient is named by the id, by SITE/ID or by the key of the store",
            todo="Look the patient up in the worklist",
        )
    if len(found) > 1:
        sites = ", ".join(sorted(patient.patient.site for patient in found))
        raise NotFound(
            f"{len(found)} sites have a patient of this id: {sites}",
            accepted="Accepted: SITE/ID",
            todo="Name the site",
        )
    return found[0]


def timeline(
    store: Store,
    patient_ref: str,
    cards: Sequence[FamilyCard] = (),
    *,
    lead_set: LeadSet | None = None,
) -> RiskTimeline:
    """Return everything the patient page shows.

    Parameters
    ----------
    store : Store
    patient_ref : str
        Key, id or ``SITE/ID``.
    cards : sequence of FamilyCard
        Of the installed families; the store knows which one is shown for a lead set.
    lead_set : str, optional
        Show every ECG as this lead set; default: each ECG as the largest one
        that a family is installed for, else the largest one it holds.

    Raises
    ------
    NotFound
        If no patient, or more than one, is meant.
    """
    found = find_patient(store, patient_ref)
    ecgs = store.ecgs_of(found.key)
    diagnoses = store.diagnoses_of(found.key)
    # Here, so that no page, command or worklist row can forget the site's choice.
    shown = cards_by_lead_set(active_order(cards, store.active_families()))
    predictions = store.predictions_of(found.key)
    builder = _Builder(shown, predictions, diagnoses, lead_set)
    dated = [ecg for ecg in ecgs if ecg.recorded_at is not None]
    return RiskTimeline(
        key=found.key,
        patient=found.patient,
        points=tuple(_with_changes([builder.point(ecg) for ecg in dated], builder)),
        undated=tuple(builder.point(ecg) for ecg in ecgs if ecg.recorded_at is None),
        echoes=_timeline_echoes(store, found.key, dated),
        cards={name: card for name, card in builder.cards.items()},
        simulated=found.simulated,
        age_years=_age(found, dated),
        actions=tuple(store.actions_of(found.key)),
        others=other_scores(cards, builder.shown_for, dated, predictions),
        diagnoses=tuple(f"{item.code_system} {item.code}" for item in diagnoses),
    )


@dataclass(frozen=True)
class _Builder:
    """What all points of one timeline share."""

    cards: Mapping[LeadSet, FamilyCard]
    predictions: Mapping[str, Mapping[str, Prediction]]
    diagnoses: Sequence[Diagnosis]
    wanted: LeadSet | None

    def point(self, ecg: StoredEcg) -> TimelinePoint:
        lead_set = self.lead_set(ecg)
        card = self.shown_for(ecg)
        prediction = self.prediction(ecg.key, card)
        withheld = not ecg.gate.analysable
        return TimelinePoint(
            ecg=ecg.key,
            recorded_at=ecg.recorded_at,
            local_day=ecg.local_day,
            status=ecg.gate.status,
            reasons=ecg.gate.reasons,
            lead_set=lead_set,
            family=None if card is None else card.family,
            flags=(*ecg.flags, *_diagnosis_flags(ecg, self.diagnoses)),
            scores=_scores(ecg, lead_set, card, prediction),
            measurements=dict(ecg.measurements),
            measured=dict(ecg.measured),
            notes=(*ecg.notes, *ecg.gate.notes),
            base_logit={} if prediction is None else _base_logit(prediction),
            provenance=None if prediction is None or withheld else prediction.provenance,
        )

    def lead_set(self, ecg: StoredEcg) -> LeadSet | None:
        """Return as which lead set an ECG is shown, None if it covers none."""
        held = [name for name in ecg.lead_sets if self.wanted in (None, name)]
        installed = [name for name in held if name in self.cards]
        chosen = installed or held
        return chosen[0] if chosen else None

    def shown_for(self, ecg: StoredEcg) -> FamilyCard | None:
        """Return the family whose score an ECG shows, None if none is installed for its leads."""
        lead_set = self.lead_set(ecg)
        return None if lead_set is None else self.cards.get(lead_set)

    def prediction(self, ecg: str, card: FamilyCard | None) -> Prediction | None:
        """Return the stored prediction of the weights that are installed now."""
        if card is None:
            return None
        found = self.predictions.get(ecg, {}).get(card.family)
        if found is None or found.provenance is None:
            return None
        return found if found.provenance.weights_sha256 == card.weights_sha256 else None


def _scores(
    ecg: StoredEcg,
    lead_set: LeadSet | None,
    card: FamilyCard | None,
    prediction: Prediction | None,
) -> Mapping[str, VariantScore | NotApplicable]:
    variants = VARIANTS if card is None else tuple(item.variant for item in card.variants)
    if not ecg.gate.analysable:
        reason = "score withheld: " + "; ".join(ecg.gate.reasons)
    elif lead_set is None:
        reason = "the leads cover no lead set that models exist for"
    elif card is None:
        reason = no_model(lead_set)
    elif prediction is None:
        reason = NOT_SCORED
    else:
        return prediction.scores
    return {variant: NotApplicable(reason) for variant in variants}


def _with_changes(points: list[TimelinePoint], builder: _Builder) -> list[TimelinePoint]:
    """Give each scored point its change since the ECG before it with a score of the same family."""
    return [_changed(points, index, builder) for index in range(len(points))]


def _changed(points: list[TimelinePoint], index: int, builder: _Builder) -> TimelinePoint:
    point = points[index]
    card = None if point.lead_set is None else builder.cards.get(point.lead_set)
    if card is None or point.best_variant is None:
        return point
    n_withheld = 0
    for earlier in reversed(points[:index]):
        if earlier.status != "analysable":
            n_withheld += 1
            continue
        # A 12-lead ECG is also scored as 6 leads: the family decides, not the leads.
        prediction = builder.prediction(earlier.ecg, card)
        if prediction is None or earlier.recorded_at is None:
            continue
        before = ScoredEcg(earlier.ecg, earlier.recorded_at, prediction.scores)
        change = change_between(before, point.scores, card, n_withheld)
        if change is not None:
            return replace(point, change=change)
    return point


def _base_logit(prediction: Prediction) -> dict[str, float]:
    """Return the logit of the mean probability over the crops, without history."""
    return {
        variant: logit(sum(1.0 / (1.0 + math.exp(-crop)) for crop in crops) / len(crops))
        for variant, crops in prediction.base_logits.items()
        if crops and variant in prediction.scores
    }


def _timeline_echoes(
    store: Store, patient_key: str, dated: list[StoredEcg]
) -> tuple[TimelineEcho, ...]:
    echoes = store.echoes_of(patient_key)
    pairs = form_pairs([ref for ecg in dated if (ref := ecg.ref) is not None], echoes)
    paired = {pair.echo.key: pair.ecg.key for pair in pairs}
    return tuple(TimelineEcho(echo, paired.get(echo.key)) for echo in echoes)


def _diagnosis_flags(ecg: StoredEcg, diagnoses: Sequence[Diagnosis]) -> tuple[Flag, ...]:
    """Return flags of diagnoses made on or before the ECG's day; none for an undated ECG."""
    if not diagnoses:
        return ()
    from ecgdash.labels.diagnoses import diagnoses_known_on
    from ecgdash.labels.flags import Known, flags_of

    return flags_of(Known(), diagnoses_known_on(diagnoses, ecg.local_day))


def _age(found: StoredPatient, dated: list[StoredEcg]) -> float | None:
    """Return the age at the last dated ECG, years."""
    if not dated:
        return None
    last = dated[-1]
    if last.age_years is not None or found.patient.birth_year is None or last.local_day is None:
        return last.age_years
    return float(last.local_day.year - found.patient.birth_year)
