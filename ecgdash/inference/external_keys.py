"""Reads the spec of an external scorer from a TOML file.

Nothing is guessed: a key that changes a score has no default, and all that is wrong with a
file is told in one go.
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ecgdash.domain.leads import CANONICAL_LEADS
from ecgdash.errors import InvalidValue
from ecgdash.inference.external_spec import (
    EXTRA_INPUTS,
    NOT_STATED,
    ExternalSpec,
    StatedThreshold,
)
from ecgdash.signal.window import WINDOW_S

__all__ = ["read_spec", "spec_from_text"]

_CHOICES: Final = {
    "format": ("torchscript", "safetensors"),
    "layout": ("leads-samples", "samples-leads", "1-samples-leads"),
    "resampling": ("polyphase", "linear"),
    "crops": ("first", "centre", "three"),
    "if_short": ("zeros", "hold"),
    "normalisation": ("none", "per-ecg-fft-lead-I"),
    "activation": ("sigmoid", "softmax", "none"),
    "extra_inputs": tuple(EXTRA_INPUTS),
    "number_type": ("float32", "float64"),
}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}[a-z0-9]")
_HORIZON: Final = re.compile(r"now|[1-9]\d* (day|month|year)s? forecast")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST_INPUT: Final = 100_000
_MOST_OUTPUTS: Final = 10_000


def read_spec(path: Path) -> ExternalSpec:
    """Read a spec.

    Raises
    ------
    InvalidValue
        With everything that is wrong, or if the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidValue(
            "the spec cannot be read",
            where=path.name,
            accepted="Accepted: a TOML file in UTF-8",
            todo="See docs/external-models.md for its keys",
        ) from error
    return spec_from_text(text, path.name)


def spec_from_text(text: str, where: str) -> ExternalSpec:
    """Build a spec from TOML.

    Parameters
    ----------
    text : str
    where : str
        Name of the file, for the error.

    Raises
    ------
    InvalidValue
        With everything that is wrong: the key, what is there and what is accepted.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidValue(
            f"the spec is no TOML ({error})", where=where, todo="Correct this place"
        ) from error
    found = _Reading(table, "")
    fields = _fields(found)
    inner = _Reading(_table(found, "threshold"), "threshold.")
    threshold = _threshold(inner)
    problems = [*found.unknown(), *found.problems, *inner.unknown(), *inner.problems]
    problems += [] if found.problems else _contradictions(fields)
    if problems:
        raise InvalidValue(
            f"{len(problems)} things are wrong with the spec: {'; '.join(problems)}"
            if len(problems) > 1
            else f"one thing is wrong with the spec: {problems[0]}",
            where=where,
            todo="Correct them; docs/external-models.md tells every key",
        )
    return ExternalSpec(**fields, threshold=threshold)


class _Reading:
    """A table that is read key by key, with what was wrong so far."""

    def __init__(self, table: Mapping[str, Any], prefix: str) -> None:
        self.table, self.prefix = table, prefix
        self.problems: list[str] = []
        self.known: set[str] = set()

    def take(
        self, key: str, holds: Callable[[Any], bool], accepted: str, default: Any = ...
    ) -> Any:
        self.known.add(key)
        if key not in self.table:
            if default is ...:
                self.problems.append(f"{self.prefix}{key} is missing (accepted: {accepted})")
                return None
            return default
        value = self.table[key]
        if not holds(value):
            shown = str(value) if not isinstance(value, str) else f"'{value}'"
            self.problems.append(f"{self.prefix}{key} is {shown[:80]} (accepted: {accepted})")
        return value

    def choice(self, key: str, default: Any = ...) -> Any:
        choices = _CHOICES[key]
        return self.take(key, lambda v: v in choices, " or ".join(choices), default)

    def architecture(self) -> Any:
        if "architecture" not in self.table:
            self.known.add("architecture")
            return None
        # here, because the table of networks brings torch, which no page should wait for
        from ecgdash.nets.registry import ARCHITECTURES

        return self.take("architecture", ARCHITECTURES.__contains__, " or ".join(ARCHITECTURES))

    def words(self, key: str, default: Any = ...) -> Any:
        return self.take(key, _is_words, "a text", default)

    def lines(self, key: str) -> tuple[str, ...]:
        found = self.take(
            key,
            lambda v: isinstance(v, list) and all(map(_is_words, v)),
            "a list of sentences",
            [],
        )
        return tuple(found) if isinstance(found, list) else ()

    def number(
        self, key: str, holds: Callable[[float], bool], accepted: str, default: Any = ...
    ) -> Any:
        return self.take(key, lambda v: _is_number(v) and holds(v), accepted, default)

    def unknown(self) -> list[str]:
        return [
            f"{self.prefix}{key} is no key of a spec" for key in self.table if key not in self.known
        ]


def _is_words(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _table(found: _Reading, key: str) -> Mapping[str, Any]:
    value = found.take(key, lambda v: isinstance(v, dict), f"a table [{key}]")
    return value if isinstance(value, dict) else {}


def _is_leads(value: Any) -> bool:
    return (
        isinstance(value, list)
        and 0 < len(value) == len({str(lead) for lead in value})
        and all(lead in CANONICAL_LEADS for lead in value)
    )


def _is_band(value: Any) -> bool:
    if value == "none":
        return True
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(_is_number, value))
        and 0 < value[0] < value[1]
    )


def _fields(found: _Reading) -> dict[str, Any]:
    leads = found.take("leads", _is_leads, f"a list of leads among {', '.join(CANONICAL_LEADS)}")
    band = found.take("band_hz", _is_band, "none, or two rising frequencies such as [0.67, 40]")
    return {
        "name": found.take(
            "name",
            lambda v: isinstance(v, str) and bool(_NAME.fullmatch(v)),
            "3 to 64 small letters, digits, points and hyphens",
        ),
        **{key: found.words(key) for key in ("title", "label", "label_definition")},
        **{key: found.words(key) for key in ("licence", "source")},
        **{key: found.choice(key) for key in ("format", "layout", "resampling", "crops")},
        **{key: found.choice(key) for key in ("if_short", "normalisation", "activation")},
        "leads": tuple(leads) if isinstance(leads, list) else (),
        "band_hz": tuple(map(float, band)) if _is_band(band) and band != "none" else None,
        "sampling_hz": found.number("sampling_hz", lambda v: 50 <= v <= 2000, "50 to 2000"),
        "n_samples": found.take(
            "n_samples",
            lambda v: _is_count(v) and 1 < v <= _LONGEST_INPUT,
            f"a whole number, 2 to {_LONGEST_INPUT}",
        ),
        "divide_by": found.number("divide_by", lambda v: 0 < v < 1e9, "above 0; 1 leaves mV"),
        "n_outputs": found.take(
            "n_outputs",
            lambda v: _is_count(v) and 1 <= v <= _MOST_OUTPUTS,
            "how many numbers the network gives for an ECG",
        ),
        "output_index": found.take(
            "output_index", lambda v: _is_count(v) and v >= 0, "0 or more, below n_outputs"
        ),
        "horizon": found.take(
            "horizon",
            lambda v: isinstance(v, str) and bool(_HORIZON.fullmatch(v)),
            "now, or such as '1 year forecast'",
        ),
        "trained_on": found.words("trained_on", NOT_STATED),
        "trained_on_simulated": found.take(
            "trained_on_simulated", lambda v: isinstance(v, bool), "true or false", False
        ),
        "architecture": found.architecture(),
        "normalise_to": found.number("normalise_to", lambda v: v > 0, "above 0", None),
        "extra_inputs": found.choice("extra_inputs", "none"),
        "number_type": found.choice("number_type", "float32"),
        "sha256": found.take(
            "sha256",
            lambda v: isinstance(v, str) and bool(_SHA256.fullmatch(v)),
            "64 small hexadecimal digits",
            None,
        ),
        **{key: found.lines(key) for key in ("must_not", "differs", "notes")},
    }


def _contradictions(fields: Mapping[str, Any]) -> Sequence[str]:
    """Return what is wrong between keys that are right by themselves."""
    said = []
    if fields["output_index"] >= fields["n_outputs"]:
        said.append(f"output_index is {fields['output_index']} (accepted: below n_outputs)")
    if fields["activation"] == "softmax" and fields["n_outputs"] < 2:
        said.append("activation is 'softmax' of one output (accepted: n_outputs of 2 or more)")
    if (fields["format"] == "safetensors") != (fields["architecture"] is not None):
        said.append("architecture belongs to format 'safetensors', and only there it is needed")
    if fields["format"] == "safetensors" and fields["extra_inputs"] != "none":
        said.append("extra_inputs is not 'none' (accepted with format 'torchscript' only)")
    if fields["format"] == "safetensors" and fields["layout"] != "leads-samples":
        said.append("layout is not 'leads-samples', as the known architectures read it")
    scaled = fields["normalisation"] != "none"
    if scaled != (fields["normalise_to"] is not None):
        said.append(
            "normalise_to belongs to normalisation 'per-ecg-fft-lead-I', and is needed there"
        )
    if scaled and "I" not in fields["leads"]:
        said.append("normalisation 'per-ecg-fft-lead-I' needs lead I among the leads")
    seconds = fields["n_samples"] / fields["sampling_hz"]
    if seconds > WINDOW_S + 1e-9:
        said.append(
            f"n_samples are {seconds:g} s (accepted: at most {WINDOW_S:g} s, which is scored)"
        )
    band = fields["band_hz"]
    if band is not None and band[1] >= fields["sampling_hz"] / 2:
        said.append(f"band_hz ends at {band[1]:g} (accepted: below half of sampling_hz)")
    return said


def _threshold(found: _Reading) -> StatedThreshold:
    def stated(key: str, holds: Callable[[Any], bool], accepted: str) -> Any:
        value = found.take(
            key,
            lambda v: v == NOT_STATED or holds(v),
            f"{accepted}, or '{NOT_STATED}'",
            ... if found.table else None,
        )
        return None if value == NOT_STATED else value

    def share(value: Any) -> bool:
        return _is_number(value) and 0 <= value <= 1

    return StatedThreshold(
        value=stated("value", lambda v: _is_number(v) and 0 < v < 1, "above 0 and below 1"),
        rule=found.words("rule", ... if found.table else NOT_STATED),
        data=found.words("data", ... if found.table else NOT_STATED),
        n=stated("n", lambda v: _is_count(v) and v > 0, "a whole number"),
        n_positive=stated("n_positive", lambda v: _is_count(v) and v >= 0, "a whole number"),
        sensitivity=stated("sensitivity", share, "0 to 1"),
        specificity=stated("specificity", share, "0 to 1"),
    )
