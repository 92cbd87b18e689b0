"""In which precision a family's network may run, in one line on its card."""

from ecgdash.inference.precision_record import (
    LARGEST_ERROR_LOGIT,
    PrecisionRecord,
    PrecisionResult,
)
from ecgdash.ui import html, words

__all__ = ["draw_precision", "precision_words"]

_LIBRARIES = {"openvino": "OpenVINO", "torch": "PyTorch", "torch-cuda": "PyTorch"}


def draw_precision(found: PrecisionRecord | None) -> None:
    """Draw what was measured of lower precisions; None: not measured."""
    html.draw(html.small(precision_words(found)))


def precision_words(found: PrecisionRecord | None) -> str:
    """Return the line: which lower precisions may be used, and by how much they err."""
    if found is None or not found.results:
        return "Precision: float32; lower ones were not measured, so they are off."
    told = "; ".join(_result(one) for one in found.results)
    return (
        f"Precision: float32. Lower ones may err by {LARGEST_ERROR_LOGIT:.2f} logits near a "
        f"threshold. {told}. {found.data}."
    )


def _result(one: PrecisionResult) -> str:
    library = _LIBRARIES.get(one.backend, one.backend)
    outcome = "passed" if one.passed else "off"
    changed = words.plural(one.n_changed_beyond, "score")
    side = f", {changed} on another side" if one.n_changed_beyond else ""
    place = f" on {one.processor}" if one.processor else ""
    made = f"{one.precision} with {library} {one.version}{place}"
    return f"{made}: {outcome}, up to {one.error_near_logit:.3f}{side}"
