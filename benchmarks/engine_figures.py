"""The figures of `python -m benchmarks`: one literal table, and how it is printed.

Every figure has a floor: what it could be at best on the machine it was measured on. The
last column says how far from it the figure is, and nothing is rounded in its favour.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ecgdash.errors import InvalidValue

NETS = {"demo": "demo net", "152": "depth 152"}
BACKENDS = {
    "torch-float32": "torch float32",
    "torch-bfloat16": "torch bf16 (for information)",
    "openvino-float32": "OpenVINO float32",
    "openvino-bfloat16": "OpenVINO bf16 (for information)",
}
BATCHES = {1: "1 ECG", 8: "8 ECGs"}

Better = Literal["low", "high", ""]


@dataclass(frozen=True)
class Figure:
    """A row of the table before anything is measured.

    Attributes
    ----------
    floor : str
        What the figure is held against, in words; empty: it has no floor.
    aim : float or None
        What it should reach (better "high") or not exceed ("low").
    """

    what: str
    unit: str
    better: Better = ""
    floor: str = ""
    aim: float | None = None


@dataclass(frozen=True)
class Measured:
    """What was found for a figure.

    Attributes
    ----------
    value : float or None
        None: not measured; `note` says why.
    floor : float or None
        In the figure's unit.
    """

    value: float | None
    floor: float | None = None
    note: str = ""


def _scoring() -> dict[str, Figure]:
    return {
        f"score.{net}.{backend}.{batch}": Figure(
            f"{NETS[net]}, {BACKENDS[backend]}, {BATCHES[batch]} a pass",
            "ms an ECG",
            "low",
            f"its operations at the {'bf16' if 'bfloat16' in backend else 'float32'} peak",
        )
        for net in NETS
        for backend in BACKENDS
        for batch in BATCHES
    }


_AT_PEAK = "its operations at the float32 peak"
_BOTH = "the floors of preprocessing and network"

BUSY = {
    f"busy.{backend}.{threads}": Figure(f"{words}, {how_many}", "times", "low", "no slower")
    for backend, words in {"torch": "torch float32", "openvino": "OpenVINO float32"}.items()
    for threads, how_many in {"one": "one thread", "all": "a thread a core"}.items()
}

Groups = Mapping[str, Mapping[str, Figure]]

GROUPS: Groups = {
    "Operations of one ECG (3 crops) and the matrix peak of this run": {
        "operations.demo": Figure("demo net, three scores", "GFLOP"),
        "operations.152": Figure("depth 152, three scores", "GFLOP"),
        "peak.float32": Figure("matrix product, float32", "GFLOP/s"),
        "peak.bfloat16": Figure("matrix product, bf16", "GFLOP/s"),
    },
    "The network alone: three scores of an ECG": _scoring(),
    "The plain form (batch normalisation apart, channels first) over the form in use": {
        f"plain.{net}": Figure(f"{words}, torch float32", "times", "high")
        for net, words in NETS.items()
    },
    "One trunk for three variants, and the labels (torch float32)": {
        "shared.demo": Figure(
            "demo net: three whole passes over one shared pass", "times", "high", "by operations"
        ),
        "shared.152": Figure(
            "depth 152: three whole passes over one shared pass",
            "times",
            "high",
            "by operations",
            2.2,
        ),
        "labels.demo": Figure(
            "demo net, 46 labels, beside the scores", "ms an ECG", "low", _AT_PEAK
        ),
        "labels.152": Figure(
            "depth 152, 46 labels, beside the scores", "ms an ECG", "low", _AT_PEAK
        ),
    },
    "A changed history": {
        "rescore.term": Figure(
            "the score of a history, from stored logits", "µs", "low", "its numpy products alone"
        ),
        "rescore.page": Figure(
            "what-if on a patient's page, slots' contributions too", "µs", "low", "the score alone"
        ),
        "rescore.store": Figure(
            "the same, logits read from the store", "µs", "low", "the what-if alone"
        ),
        "rescore.share": Figure(
            "full depth-152 scoring over the score of a history", "times", "high", "", 500
        ),
        "rescore.store_share": Figure(
            "full depth-152 scoring over the what-if with the store", "times", "high"
        ),
    },
    "Preprocessing (12 leads, 10 s, 500 Hz), and the engine as it is used": {
        "prepare.one": Figure(
            "preprocessing, one by one", "ms an ECG", "low", "scipy's resampling and filter alone"
        ),
        "prepare.demo": Figure("its share of scoring, demo net", "%", "low"),
        "prepare.152": Figure("its share of scoring, depth 152", "%", "low"),
        "prepare.auto": Figure("its share of scoring, demo net, backend auto", "%", "low"),
        "engine.demo.1": Figure("demo net, one ECG alone", "ms an ECG", "low", _BOTH),
        "engine.demo.8": Figure("demo net, in eights", "ms an ECG", "low", _BOTH),
        "engine.auto": Figure("demo net, in eights, backend auto", "ms an ECG", "low", _BOTH),
        "engine.152": Figure("depth 152, one by one", "ms an ECG", "low", _BOTH),
    },
    "Memory": {
        "memory.flat": Figure(
            "peak of scoring 10,000 ECGs over that of 1,000", "times", "low", "flat"
        ),
        "memory.152": Figure(
            "loading depth 152, beyond the libraries", "MiB", "low", "its weights"
        ),
        "load.152": Figure(
            "loading depth 152, verified", "s", "low", "reading and hashing its file"
        ),
    },
    "Start (wall)": {
        "start.import": Figure("import ecgdash", "s", "low", "an empty Python program"),
        "start.cli": Figure("python -m ecgdash --version", "s", "low", "an empty Python program"),
        "start.app": Figure(
            "the app, until it says that it is healthy", "s", "low", "an app of one line"
        ),
        "start.page": Figure(
            "the worklist of 1,000 patients, first page, from nothing",
            "s",
            "low",
            "the same page again, all loaded",
        ),
    },
    "Beside one busy process (wall over quiet wall, depth 152)": BUSY,
}

FIGURES: dict[str, Figure] = {key: row for group in GROUPS.values() for key, row in group.items()}


def number(value: float) -> str:
    """Write three digits, and no exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 0.1 else f"{value:.3g}"


def how_far(figure: Figure, found: Measured) -> str:
    """Say how far from its floor a figure is, and whether its aim is met."""
    if found.value is None:
        return "not measured"
    words = []
    if found.floor:
        ratio = found.value / found.floor
        least = f"{number(ratio)} times the least"
        words.append(least if figure.better == "low" else f"{number(100 * ratio)} % of that")
    if figure.aim is not None:
        met = found.value >= figure.aim if figure.better == "high" else found.value <= figure.aim
        bound = "at least" if figure.better == "high" else "at most"
        words.append(f"aim {bound} {figure.aim:g}: {'met' if met else 'missed'}")
    return "; ".join(words) or "-"


def markers(name: str = "benchmarks") -> tuple[str, str]:
    """Return what stands before and after a table in a document."""
    return f"<!-- {name}: start -->", f"<!-- {name}: end -->"


def table(found: Mapping[str, Measured], groups: Groups = GROUPS) -> str:
    """Return the Markdown table: every figure, in order.

    A group of which nothing was measured, for one reason, is one row.

    Raises
    ------
    InvalidValue
        If a figure is missing, or one was measured that the table does not know.
    """
    figures = {key for rows in groups.values() for key in rows}
    if set(found) != figures:
        odd = sorted(set(found) ^ figures)
        raise InvalidValue(f"the figures {', '.join(odd)} are in one of table and run only")
    lines = [
        "| figure | measured | floor: the least, or most, possible | how far from it |",
        "|---|---|---|---|",
    ]
    for title, rows in groups.items():
        lines += _group(title, rows, found)
    return "\n".join(lines)


def _group(title: str, rows: Mapping[str, Figure], found: Mapping[str, Measured]) -> list[str]:
    reasons = {found[key].note for key in rows if found[key].value is None}
    if all(found[key].value is None for key in rows) and len(reasons) == 1:
        return [f"| **{title}** | not measured: {reasons.pop()} | | |"]
    return [f"| **{title}** | | | |", *(_line(row, found[key]) for key, row in rows.items())]


def _line(figure: Figure, found: Measured) -> str:
    value = "-" if found.value is None else f"{number(found.value)} {figure.unit}"
    note = f" ({found.note})" if found.note else ""
    floor = "-"
    if found.floor is not None:
        floor = f"{number(found.floor)} {figure.unit}: {figure.floor}"
    return f"| {figure.what} | {value}{note} | {floor} | {how_far(figure, found)} |"


def caption(
    machine: Mapping[str, str], loads: tuple[float, float], minutes: float, beside: str = ""
) -> str:
    """Return what stands above the table: the machine, the load, how time was taken.

    Parameters
    ----------
    beside : str
        What else ran on the machine, in words.
    """
    named = "; ".join(f"{name} {value}" for name, value in machine.items())
    also = f" Beside it ran: {beside}." if beside else ""
    return (
        f"One run of `python -m benchmarks` ({minutes:.0f} min). {named[0].upper()}{named[1:]}.\n"
        f"Load average {loads[0]:.1f} at the start and {loads[1]:.1f} at the end (an idle machine "
        f"shows 0, this run alone about 1).{also}\n"
        "One thread unless said. Times are the least of several, taken in turn, in CPU time of the "
        "process; wall where it says so.\nTrust ratios within the run, not milliseconds. Depth 152 "
        "has random weights, statistics set by an ECG: speed does not depend on them."
    )


def replace_between_markers(text: str, new: str, name: str = "benchmarks") -> str:
    """Return a document with what stands between a table's two markers replaced.

    Raises
    ------
    InvalidValue
        If the markers are not there exactly once, the start first.
    """
    first, last = markers(name)
    before, start, rest = text.partition(first)
    old, end, after = rest.partition(last)
    if not start or not end or first in old + after or last in before + after:
        raise InvalidValue(
            "the place of the table is not marked",
            where="README.md",
            accepted=f"Accepted: one {first} and one {last} after it",
        )
    return f"{before}{first}\n\n{new}\n\n{last}{after}"


def write_json(
    path: Path,
    found: Mapping[str, Measured],
    machine: Mapping[str, str],
    loads: tuple[float, float],
    groups: Groups = GROUPS,
) -> None:
    """Write the figures with the machine, unrounded."""
    told = {
        key: {**asdict(figure), **asdict(found[key]), "floor_words": figure.floor}
        for rows in groups.values()
        for key, figure in rows.items()
    }
    content = {"machine": dict(machine), "load_average": list(loads), "figures": told}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
