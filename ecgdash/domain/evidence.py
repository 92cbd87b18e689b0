"""What speaks for a finding in one ECG: measured criteria and the 46-label head."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecgdash.errors import InvalidValue

__all__ = ["EcgEvidence", "HeadScores", "RuleEvidence"]


@dataclass(frozen=True)
class RuleEvidence:
    """What measurements say of one label.

    Attributes
    ----------
    logit : float
        Above 0: the criteria hold; the size says by how much.
    text : str
        The measured values, in words, for the reader of a flag.
    """

    logit: float
    text: str


@dataclass(frozen=True)
class HeadScores:
    """What the 46-label head of a family says of one ECG.

    Attributes
    ----------
    family : str
    weights_sha256 : str
        Of the weights that gave the scores; others make them out of date.
    scores : mapping of str to float
        By label, in [0, 1], higher means present; not probabilities. Empty: the
        head cannot read this ECG (leads missing, or shorter than 9 s).
    """

    family: str
    weights_sha256: str
    scores: Mapping[str, float]

    def __post_init__(self) -> None:
        """Check the range."""
        wrong = [name for name, score in self.scores.items() if not 0.0 <= score <= 1.0]
        if wrong:
            raise InvalidValue(f"label scores of {', '.join(wrong)}", accepted="From 0 to 1")


@dataclass(frozen=True)
class EcgEvidence:
    """What is kept of an ECG beside its facts, to make flags of and to look at closely.

    Attributes
    ----------
    rules : mapping of str to RuleEvidence
        By label; empty where nothing could be measured.
    beats : mapping
        `ecgdash.signal.beat_table.BeatTable.as_dict`; empty where there is none.
    head : HeadScores or None
        None: the head has not been run.
    """

    rules: Mapping[str, RuleEvidence] = field(default_factory=dict)
    beats: Mapping[str, Any] = field(default_factory=dict)
    head: HeadScores | None = None
