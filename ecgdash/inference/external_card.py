"""The card of an external family, made of its spec: what is not stated there stays so."""

import math
from dataclasses import replace

from ecgdash.domain.model import UNCALIBRATED, FamilyCard, OperatingPoint, VariantCard
from ecgdash.errors import InvalidValue
from ecgdash.inference.external_spec import NOT_STATED, ExternalSpec, StatedThreshold

__all__ = ["card_of_spec", "own_threshold"]


def own_threshold(value: float, origin: str) -> StatedThreshold:
    """Return a threshold that a user brings, with its origin in words.

    Raises
    ------
    InvalidValue
        If the value lies outside (0, 1) or the origin is empty.
    """
    if not 0.0 < value < 1.0:
        raise InvalidValue(f"the threshold {value:g}", accepted="Accepted: above 0 and below 1")
    if not origin.strip():
        raise InvalidValue(
            "the threshold's origin is empty",
            accepted="Accepted: how and on which data it was chosen, in words",
        )
    return StatedThreshold(value, "own", origin.strip(), None, None, None, None)


def card_of_spec(
    spec: ExternalSpec, weights_sha256: str, own: StatedThreshold | None = None
) -> FamilyCard:
    """Return the card of an external family.

    Parameters
    ----------
    spec : ExternalSpec
    weights_sha256 : str
    own : StatedThreshold, optional
        The user's threshold instead of the spec's.

    Raises
    ------
    InvalidValue
        If neither states a threshold.
    """
    threshold = own or spec.threshold
    if threshold.value is None:
        raise InvalidValue(
            f"the source of {spec.name} states no threshold",
            accepted="Accepted: your own threshold, with where it comes from",
            todo="Call again with --threshold VALUE --threshold-origin 'RULE, DATA'",
        )
    return FamilyCard(
        family=spec.name,
        title=spec.title,
        lead_set=spec.lead_set,
        input_kind="signal",
        architecture=spec.architecture or "external TorchScript",
        label=spec.full_label,
        weights_sha256=weights_sha256,
        preprocessing_version=spec.preprocessing_version,
        trained_on=spec.trained_on,
        trained_on_simulated=spec.trained_on_simulated,
        licence=spec.licence,
        variants=(_variant(spec, threshold),),
        notes=(f"Source: {spec.source}.", *_input_words(spec), *spec.notes),
        label_definition=spec.label_definition,
        must_not=(
            "Its scores must not be compared with those of another label definition: "
            f"this one is {spec.full_label}.",
            "It must not replace an echocardiogram, and no score here is a diagnosis.",
            *spec.must_not,
        ),
        differs=(*_differs(spec), *spec.differs),
        external=True,
    )


def _variant(spec: ExternalSpec, threshold: StatedThreshold) -> VariantCard:
    head = f"{spec.name}/{UNCALIBRATED}"
    stated = OperatingPoint(
        id=f"{head}/stated@1",
        rule=threshold.rule,
        value=math.nan if threshold.value is None else float(threshold.value),
        data=threshold.data,
        n=threshold.n or 0,
        n_positive=threshold.n_positive or 0,
        sensitivity=_or_nan(threshold.sensitivity),
        specificity=_or_nan(threshold.specificity),
    )
    absent = replace(
        stated,
        value=math.nan,
        data=NOT_STATED,
        n=0,
        n_positive=0,
        sensitivity=math.nan,
        specificity=math.nan,
    )
    others = {
        rule: replace(absent, id=f"{head}/{rule}@1", rule=rule)
        for rule in ("sensitivity_90", "specificity_90")
    }
    return VariantCard(UNCALIBRATED, stated, others["sensitivity_90"], others["specificity_90"])


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _input_words(spec: ExternalSpec) -> tuple[str, ...]:
    band = "no band-pass" if spec.band_hz is None else "{:g} to {:g} Hz".format(*spec.band_hz)
    crops = {
        "first": "the first crop",
        "centre": "the middle crop",
        "three": "the mean score of three crops",
    }[spec.crops]
    filled = {"zeros": "zeros", "hold": "the last value"}[spec.if_short]
    unit = "mV" if spec.divide_by == 1 else f"mV divided by {spec.divide_by:g}"
    said = (
        f"Input: {', '.join(spec.leads)}; {spec.n_samples} samples at {spec.sampling_hz:g} Hz "
        f"({spec.resampling}), {band}, {unit}; {crops}. An ECG that is too short is filled up "
        f"with {filled}."
    )
    horizon = () if spec.horizon == "now" else (f"It looks ahead: {spec.horizon}.",)
    return (said, *horizon)


def _differs(spec: ExternalSpec) -> tuple[str, ...]:
    said = []
    if spec.normalise_to is not None:
        said.append(
            f"Each ECG is scaled so that the mean magnitude of lead I's spectrum is "
            f"{spec.normalise_to}. The source scales a whole batch by its mean, so that an ECG's "
            "score there depends on the others; here it depends on that ECG alone."
        )
    if spec.extra_inputs == "pulse-hf-15":
        said.append(
            "Besides the ECG it reads 15 numbers of earlier LVEFs, inside the network: they are "
            "made anew when the patient's echoes or diagnoses change. The echo nearest to an ECG "
            "within 14 days is its label and is left out. Initial and preceding LVEF are of "
            "echoes before the day of the ECG only; in the source's table the initial one could "
            "be later. Diagnoses of heart failure are the ICD codes I50 and 428; without one the "
            "days since diagnosis are 0 and all earlier LVEFs count."
        )
    return tuple(said)
