"""What a lower precision does to a family's scores: the rule, its figures, and the file of them.

    models/<folder>/precision.json    written by `models precision`, hash in the manifest

The rule was set before any figure was known (issue 8): against float32, an error of at most 0.02
logits at every evaluation ECG within 1 logit of a threshold, and no ECG on another side of a
threshold that lay further from it than the noise floor. A lower precision is used only where the
record of these very weights, this backend and this version of its library says that it passed.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ecgdash.errors import EcgDashError, InvalidValue
from ecgdash.inference.figure_file import FigureFile
from ecgdash.inference.manifest import InstalledFamily, beside_path, verify_beside

__all__ = [
    "LARGEST_ERROR_LOGIT",
    "NEAR_LOGIT",
    "PRECISION_NAME",
    "PrecisionRecord",
    "PrecisionResult",
    "lower_precisions",
    "precision_document",
    "read_precision",
]

PRECISION_NAME: Final = "precision.json"
LARGEST_ERROR_LOGIT: Final = 0.02
NEAR_LOGIT: Final = 1.0
_FILE: Final = FigureFile(
    name=PRECISION_NAME,
    format="ecgdash-precision@1",
    what="the figures of lower precisions",
    written_by="'models precision' writes it",
    todo="Make it with 'python -m ecgdash models precision FAMILY'",
)


@dataclass(frozen=True)
class PrecisionResult:
    """One backend in one precision against PyTorch in float32.

    Attributes
    ----------
    backend : str
        openvino, torch, or torch-cuda.
    precision : str
        bfloat16 or tf32.
    version : str
        Of the library.
    n_near : int
        Scores within `NEAR_LOGIT` of a threshold; an ECG has one for each applicable variant.
    error_near_logit : float
        Largest error of those.
    error_logit : float
        Largest error of all.
    n_changed : int
        Scores on another side of a threshold than in float32.
    n_changed_beyond : int
        Of them, how many lay further from it than the variant's noise floor.
    processor : str
        The GPU, by name; "": a CPU, or not told.
    """

    backend: str
    precision: str
    version: str
    n_near: int
    error_near_logit: float
    error_logit: float
    n_changed: int
    n_changed_beyond: int
    processor: str = ""

    @property
    def passed(self) -> bool:
        """Whether the rule holds; without a score near a threshold nothing was shown."""
        return (
            self.n_near > 0
            and self.error_near_logit <= LARGEST_ERROR_LOGIT
            and self.n_changed_beyond == 0
        )


@dataclass(frozen=True)
class PrecisionRecord:
    """What was measured on one family, and on which ECGs."""

    family: str
    weights_sha256: str
    data: str
    n_ecgs: int
    seed: int
    results: tuple[PrecisionResult, ...]


def precision_document(found: PrecisionRecord) -> dict[str, Any]:
    """Return what `precision.json` holds."""
    return {
        "format": _FILE.format,
        "family": found.family,
        "weights_sha256": found.weights_sha256,
        "data": found.data,
        "n_ecgs": found.n_ecgs,
        "seed": found.seed,
        "rule": {"near_logit": NEAR_LOGIT, "largest_error_logit": LARGEST_ERROR_LOGIT},
        "results": [{**asdict(one), "passed": one.passed} for one in found.results],
    }


def read_precision(path: Path) -> PrecisionRecord:
    """Read a `precision.json`; whether a result passed follows from its figures.

    Raises
    ------
    InputFileError
        If the file is not there or not what `precision_document` describes.
    """
    return _FILE.read(path, _record)


def _record(content: Mapping[str, Any]) -> PrecisionRecord:
    return PrecisionRecord(
        family=str(content["family"]),
        weights_sha256=str(content["weights_sha256"]),
        data=str(content["data"]),
        n_ecgs=int(content["n_ecgs"]),
        seed=int(content["seed"]),
        results=tuple(_result(row) for row in content["results"]),
    )


def _result(row: Mapping[str, Any]) -> PrecisionResult:
    return PrecisionResult(
        backend=str(row["backend"]),
        precision=str(row["precision"]),
        version=str(row["version"]),
        n_near=int(row["n_near"]),
        error_near_logit=float(row["error_near_logit"]),
        error_logit=float(row["error_logit"]),
        n_changed=int(row["n_changed"]),
        n_changed_beyond=int(row["n_changed_beyond"]),
        processor=str(row.get("processor", "")),
    )


def lower_precisions(row: InstalledFamily, wanted: str) -> tuple[PrecisionResult, ...]:
    """Return the lower precisions that an engine may use for a family's weights.

    Parameters
    ----------
    row : InstalledFamily
    wanted : {"float32", "auto"}
        "float32": none. "auto": those whose record passed; a record that is missing, changed,
        broken or of other weights allows none.

    Raises
    ------
    InvalidValue
        If `wanted` is something else.
    """
    if wanted not in ("float32", "auto"):
        raise InvalidValue(f"precision {wanted!r} is not known", accepted="Accepted: float32, auto")
    path = beside_path(row, "precision")
    if wanted == "float32" or path is None:
        return ()
    try:
        verify_beside(row, "precision")
        found = read_precision(path)
    except EcgDashError:
        return ()
    if (found.family, found.weights_sha256) != (row.name, row.weights_sha256):
        return ()
    return tuple(one for one in found.results if one.passed)
