"""What moved one ECG's score, against a flat line or an earlier ECG; made once and kept."""

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import numpy as np

from ecgdash.domain.attribution import Attribution
from ecgdash.domain.ecg import EcgRecord
from ecgdash.domain.leads import LEADS_OF_SET
from ecgdash.domain.timeline import RiskTimeline, TimelinePoint
from ecgdash.errors import InvalidValue, StoreBusy
from ecgdash.store import Store
from ecgdash.store.attributions import AttributionKey

if TYPE_CHECKING:
    from ecgdash.inference import Engine

__all__ = ["ATTRIBUTION_VERSION", "attribute", "attribute_record", "earlier_of"]

ATTRIBUTION_VERSION: Final = 1
"""Kept with every attribution; goes up with any change of method that moves one."""


def attribute(
    store: Store,
    engine: "Engine",
    ecg_key: str,
    variant: str,
    earlier_key: str | None = None,
) -> Attribution:
    """Attribute a variant's logit without history to leads, moments and waves of a stored ECG.

    Parameters
    ----------
    store : Store
        In which it is looked up, and kept.
    engine : Engine
    ecg_key, variant : str
    earlier_key : str, optional
        The same patient's ECG to compare with; a flat line by default.

    Raises
    ------
    NotFound
        If the store holds no such ECG.
    InputDoesNotFitModel
        If the ECG lacks leads or length that the family needs.
    InvalidValue
        If the family has no such variant, the other ECG is not the patient's or the same one, or
        too few beats were found to align the two.
    """
    if variant not in engine.variants:
        raise InvalidValue(
            f"{engine.card.family} has no variant {variant!r}",
            accepted=f"Accepted: {', '.join(engine.variants)}",
        )
    this = store.ecg(ecg_key)
    earlier = None if earlier_key is None else store.ecg(earlier_key)
    if earlier is not None and (earlier.patient_key != this.patient_key or earlier_key == ecg_key):
        raise InvalidValue(
            "an ECG is compared with another one of the same patient",
            accepted="Accepted: the key of another ECG of this patient",
            todo="Look the key up with `timeline`",
        )
    key = AttributionKey(
        this.sha256,
        None if earlier is None else earlier.sha256,
        engine.card.weights_sha256,
        engine.card.preprocessing_version,
        ATTRIBUTION_VERSION,
        variant,
    )
    kept = store.attribution(key)
    if kept is not None and kept.leads == engine.leads and kept.family == engine.card.family:
        return kept
    before = None if earlier is None else store.record(earlier.key)
    made = attribute_record(engine, store.record(ecg_key), variant, before)
    with suppress(StoreBusy):  # what could not be kept is made again next time
        store.save_attribution(made, ATTRIBUTION_VERSION)
    return made


def attribute_record(
    engine: "Engine", record: EcgRecord, variant: str, earlier: EcgRecord | None = None
) -> Attribution:
    """Attribute a variant's logit without history; as `attribute`, of records at hand.

    Raises
    ------
    InputDoesNotFitModel, InvalidValue
        See `attribute`.
    """
    from ecgdash.explain.deeplift import explain_crops
    from ecgdash.explain.reference import earlier_crops
    from ecgdash.explain.rollup import roll_up
    from ecgdash.signal.measure_beats import measure_beats
    from ecgdash.signal.window import scored_window

    crops = engine.crops(record)
    compared = None if earlier is None else earlier_crops(record, earlier, engine.leads)
    found = explain_crops(engine.net, crops, variant, compared)
    window = scored_window(record.signal_mv, record.sampling_hz)
    rolled = roll_up(found.values, engine.leads, window, measure_beats(record))
    return Attribution(
        family=engine.card.family,
        variant=variant,
        weights_sha256=engine.card.weights_sha256,
        preprocessing_version=engine.card.preprocessing_version,
        waveform_sha256=record.sha256,
        reference="zero" if earlier is None else "earlier",
        reference_sha256=None if earlier is None else earlier.sha256,
        start_s=rolled.start_s,
        leads=engine.leads,
        bins=rolled.bins.astype(np.float32),
        waves=rolled.waves,
        logit=float(found.logits.mean()),
        reference_logit=float(found.reference_logits.mean()),
        gap=float(np.abs(found.gap).max()),
        earlier_logit=None if earlier is None else _mean_logit(engine, earlier, variant),
    )


def earlier_of(course: RiskTimeline, ecg_key: str) -> str | None:
    """Return the ECG that an ECG is compared with by default.

    The last analysable one before it that holds the leads of its family; None if there is none,
    or if the ECG is undated or unknown.
    """
    points = list(course.points)
    at = next((i for i, point in enumerate(points) if point.ecg == ecg_key), None)
    if at is None:
        return None
    needed = _leads_of(points[at])
    fitting = (
        point.ecg
        for point in reversed(points[:at])
        if point.status == "analysable" and needed and needed <= _leads_of(point)
    )
    return next(fitting, None)


def _leads_of(point: TimelinePoint) -> set[str]:
    return set() if point.lead_set is None else set(LEADS_OF_SET[point.lead_set])


def _mean_logit(engine: "Engine", record: EcgRecord, variant: str) -> float:
    by_variant = engine.base_logits([record])[0]
    return float(by_variant[engine.variants.index(variant)].mean())
