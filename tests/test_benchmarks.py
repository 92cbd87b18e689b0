"""The speed table: operations are counted rightly, every row is printed, README keeps the rest.

Nothing is timed here: a test that times fails on a busy machine.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import accelerator
from benchmarks.engine_figures import (
    FIGURES,
    GROUPS,
    Figure,
    Measured,
    caption,
    how_far,
    markers,
    number,
    replace_between_markers,
    table,
    write_json,
)
from benchmarks.engine_machine import machine
from benchmarks.engine_nets import DEMO, repeated
from benchmarks.engine_operations import counted, family_operations
from benchmarks.engine_scoring import Subject
from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import InvalidValue
from ecgdash.inference import Engine
from ecgdash.nets.family import FamilyConfig, FamilyNet
from ecgdash.nets.registry import ARCHITECTURES
from ecgdash.nets.se_resnext import SeResNeXt1d

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
START, END = markers()


def invented() -> dict[str, Measured]:
    """Return a value of its own for every figure: 1001, 1002, ..."""
    return {key: Measured(1001.0 + i, 500.0) for i, key in enumerate(FIGURES)}


# Operations


def test_a_net_small_enough_to_count_by_hand():
    net = nn.Sequential(
        nn.Conv1d(4, 6, 5, stride=2, padding=2, groups=2),  # 10 -> 5 samples
        nn.BatchNorm1d(6),
        nn.ReLU(),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(6, 3),
    ).eval()
    with counted(net) as found:
        net(torch.zeros(7, 4, 10))
    by_hand = 7 * (6 * 5 * (4 // 2) * 5 + 6 * 3) * 2  # batch (outputs x inputs seen) x 2 a MAC
    assert found.n == by_hand


def test_nothing_is_counted_after_the_block():
    net = nn.Linear(2, 2)
    with counted(net) as found:
        pass
    net(torch.zeros(1, 2))
    assert found.n == 0


def test_depth_152_has_the_operations_of_the_research():
    """14.694 GFLOP a crop for one variant, 12.566 of them in the trunk (research/stack.md, 3)."""
    three_crops = family_operations("se-resnext-152", 46)
    assert three_crops.one / 3 == pytest.approx(14.694, abs=5e-4)
    assert three_crops.separate == pytest.approx(3 * three_crops.one, rel=1e-5)
    trunk_and_three = 12.566 + 3 * (14.694 - 12.566)
    assert three_crops.shared / 3 == pytest.approx(trunk_and_three, abs=3e-3)
    assert three_crops.separate / three_crops.shared == pytest.approx(2.33, abs=5e-3)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_operations_agree_with_pytorch_s_own_counter(name):
    with torch.device("meta"):
        net = FamilyNet(FamilyConfig(ARCHITECTURES[name].config, 46)).eval()
        crops = torch.empty(3, *net.input_shape)
    ours = family_operations(name, 46)
    for act, expected in (
        (lambda: net(crops), ours.shared),
        (lambda: net.label_logits(crops), ours.labels),
    ):
        with torch.no_grad(), FlopCounterMode(display=False) as theirs:
            act()
        assert theirs.get_total_flops() / 1e9 == pytest.approx(expected, rel=1e-9)


def test_one_branch_of_a_family_is_the_single_network():
    with torch.device("meta"):
        net = SeResNeXt1d(ARCHITECTURES["demo"].config).eval()
        crops = torch.empty(3, *net.input_shape)
    with torch.no_grad(), FlopCounterMode(display=False) as theirs:
        net(crops)
    assert family_operations("demo", 46).one == theirs.get_total_flops() / 1e9


# The table


def test_every_figure_is_printed_in_its_group_with_its_value():
    lines = table(invented()).splitlines()
    assert len(lines) == 2 + len(GROUPS) + len(FIGURES)
    for i, (key, figure) in enumerate(FIGURES.items()):
        title = next(name for name, rows in GROUPS.items() if key in rows)
        row = next(line for line in lines if f"| {1001 + i:,} " in line)
        assert row.startswith(f"| {figure.what} |")
        assert lines.index(f"| **{title}** | | | |") < lines.index(row)


def test_figures_have_names_of_their_own_within_a_group():
    for rows in GROUPS.values():
        assert len({figure.what for figure in rows.values()}) == len(rows)
    assert sum(len(rows) for rows in GROUPS.values()) == len(FIGURES)


def test_what_was_not_measured_says_why():
    found = invented() | {"memory.152": Measured(None, note="no such thing here")}
    row = next(line for line in table(found).splitlines() if "no such thing here" in line)
    assert (
        row
        == "| loading depth 152, beyond the libraries | - (no such thing here) | - | not measured |"
    )


def test_a_group_of_which_nothing_was_measured_is_one_row():
    title = next(name for name, rows in GROUPS.items() if "plain.demo" in rows)
    absent = dict.fromkeys(GROUPS[title], Measured(None, note="no such device"))
    lines = table(invented() | absent).splitlines()
    assert f"| **{title}** | not measured: no such device | | |" in lines
    assert len(lines) == 2 + len(GROUPS) + len(FIGURES) - len(absent)


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_a_figure_that_is_missing_or_unknown_is_refused(change):
    found = invented()
    if change == "missing":
        del found["shared.152"]
    else:
        found["shared.99"] = Measured(1.0)
    with pytest.raises(InvalidValue, match=r"shared\.(152|99)"):
        table(found)


@pytest.mark.parametrize(
    ("figure", "found", "words"),
    [
        (Figure("x", "ms", "low", "f"), Measured(3.0, 2.0), "1.5 times the least"),
        (Figure("x", "times", "high", "f"), Measured(1.5, 2.0), "75 % of that"),
        (
            Figure("x", "times", "high", "f", 2.2),
            Measured(2.3, 2.3),
            "100 % of that; aim at least 2.2: met",
        ),
        (
            Figure("x", "times", "high", "", 500),
            Measured(499.9),
            "aim at least 500: missed",
        ),
        (Figure("x", "s", "low", "", 2), Measured(2.5), "aim at most 2: missed"),
        (Figure("x", "GFLOP"), Measured(2.5), "-"),
    ],
)
def test_the_distance_from_the_floor_in_words(figure, found, words):
    assert how_far(figure, found) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.01234, "0.012"), (0.9876, "0.988"), (12.345, "12.3"), (24837.5, "24,838")],
)
def test_numbers_have_three_digits_and_no_exponent(value, text):
    assert number(value) == text


def test_json_holds_every_figure_unrounded(tmp_path):
    import json

    write_json(tmp_path / "f.json", invented(), {"processor": "p"}, (0.5, 1.0))
    told = json.loads((tmp_path / "f.json").read_text())
    assert told["figures"].keys() == FIGURES.keys()
    assert [row["value"] for row in told["figures"].values()] == [
        one.value for one in invented().values()
    ]
    assert told["load_average"] == [0.5, 1.0]


# The machine


def test_the_machine_is_named_without_host_or_path():
    import platform

    told = " ".join(machine().values())
    assert "/" not in told
    assert platform.node() not in told
    assert torch.__version__ in told


def test_the_processor_is_read_from_the_system_s_list(tmp_path):
    (tmp_path / "cpuinfo").write_text(
        "processor\t: 0\nmodel name\t: Some CPU: fast\nflags\t\t: fpu avx2 amx_bf16\n\n"
        "processor\t: 1\nmodel name\t: Other\n"
    )
    told = machine(tmp_path / "cpuinfo")
    assert told["processor"] == "Some CPU: fast"
    assert told["instruction sets"] == "avx2, amx_bf16"
    assert machine(tmp_path / "absent")["instruction sets"] == "unknown"


def test_the_caption_says_which_machine_and_how_busy_it_was():
    told = caption(
        {"processor": "Some CPU", "openvino": "not installed"}, (0.25, 2.75), 5.6, "a test"
    )
    assert "(6 min). Processor Some CPU; openvino not installed." in told
    assert "0.2 at the start and 2.8 at the end" in told
    assert "Beside it ran: a test." in told


# A GPU's table; the CPU takes the device's place, and no time is looked at


def test_a_device_is_measured_in_every_precision_it_has(tmp_path):
    demo = Engine.load(DEMO, "cpu")
    subject = Subject("demo", demo, family_operations("demo", len(demo.labels)))
    cpu = torch.device("cpu")
    found = accelerator.limits(cpu, 64)
    found |= accelerator.networks(subject, cpu, found, passes=(1, 2))
    found |= accelerator.engine("demo", demo, cpu, n_records=16)
    figures = {key for rows in accelerator.GROUPS.values() for key in rows}
    expected = {key for key in figures if ".152" not in key} - {"prepare.one"}
    assert found.keys() == expected
    for key, one in found.items():
        if ".tf32" in key and not key.startswith("peak."):
            assert one.value is None
            assert "tf32" in one.note
        else:
            assert one.value > 0
    full = dict.fromkeys(figures, Measured(1.0)) | found
    write_json(tmp_path / "f.json", full, {}, (0.0, 0.0), accelerator.GROUPS)
    assert len(table(full, accelerator.GROUPS).splitlines()) == 2 + len(figures) + len(
        accelerator.GROUPS
    )


# README


def test_updating_touches_nothing_but_what_stands_between_the_markers():
    before, after = README.split(START)[0], README.split(END)[1]
    new = replace_between_markers(README, "| new |")
    assert new == f"{before}{START}\n\n| new |\n\n{END}{after}"
    assert replace_between_markers(new, "| new |") == new


@pytest.mark.parametrize(
    "text", ["no markers", START, f"{END} {START}", f"{START} {START} {END}", f"{START}{END}{END}"]
)
def test_a_document_without_one_pair_of_markers_is_refused(text):
    with pytest.raises(InvalidValue, match=r"README\.md.*benchmarks: start"):
        replace_between_markers(text, "new")


@pytest.mark.parametrize(
    ("name", "groups"), [("benchmarks", GROUPS), (accelerator.MARKED, accelerator.GROUPS)]
)
def test_readme_holds_every_row_of_the_tables(name, groups):
    first, last = markers(name)
    shown = README.split(first)[1].split(last)[0]
    for title, rows in groups.items():
        if f"| **{title}** | not measured: " in shown:
            continue
        for figure in rows.values():
            assert re.search(rf"^\| {re.escape(figure.what)} \|", shown, re.MULTILINE), figure.what


# What is scored in the memory row


def test_repeated_ecgs_have_samples_of_their_own():
    record = EcgRecord(np.ones((12, 5000), np.float32), CANONICAL_LEADS, 500.0)
    made = list(repeated([record], 200))
    assert len(made) == 200
    assert len({id(one.signal_mv) for one in made}) == 200
    assert not any(np.shares_memory(one.signal_mv, record.signal_mv) for one in made)
