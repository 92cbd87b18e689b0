"""What the gate makes of real and of simulated ECGs, as Markdown.

    python -m benchmarks.gate_outcomes ../shared/data > docs/evaluation/gate.md

Real: every readable file, PTB-XL's own remarks on quality against our figures, electrodes
exchanged by arithmetic, spikes alone against the codes for pacing. Simulated: false alarms in a
cohort, pacing at four rates.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.gate_swaps import EXCHANGES, exchanged
from benchmarks.real_ecgs import real_ecgs
from ecgdash.domain import CANONICAL_LEADS, EcgRecord, GateResult
from ecgdash.errors import InputFileError
from ecgdash.inference.gate import gate
from ecgdash.io import find_ecg_files, read_ecg, read_patient_table
from ecgdash.labels.statements import affirmed_findings
from ecgdash.settings import Settings
from ecgdash.signal.noise import lead_noise
from ecgdash.signal.window import scored_window
from ecgdash.simulate.cohort import simulate_patients
from ecgdash.simulate.examples import EXAMPLES, example_parameters
from ecgdash.simulate.waveform import synthesise
from ecgdash.stats import auroc

N_PACED, N_OTHER = 60, 25
SEED = 6151
REMARKS = (("static_noise", "noise_mv"), ("burst_noise", "noise_mv"),
           ("electrodes_problems", "step_mv"), ("baseline_drift", "wander_mv"))  # fmt: skip

PREFACE = """# The gate: where ECGs fall

Made by `python -m benchmarks.gate_outcomes FOLDER`. The limits of noise, baseline and exchanged
electrodes were set while looking at `ptbxl500` (the limit of noise also at `cinc2021` and the
hand-held recordings), so "0 called" there is not an independent figure; that of 0 in 339 alone is
compatible with up to 1.1 % (95 %). The simulated ECGs below have seeds not looked at before."""


@dataclass(frozen=True)
class Judged:
    """A file that could be read, and its verdict."""

    folder: str
    name: str
    record: EcgRecord
    verdict: GateResult


def folder_of(shown: str) -> str:
    parts = shown.split("/")
    return "/".join(parts[:2]) if parts[0] == "ptbxl500" else parts[0]


def judged_files(folder: Path) -> Iterator[Judged]:
    """Yield every file of the folders that can be read without being told anything."""
    zone = Settings().zone
    table = read_patient_table(folder / "ptbxl500" / "ptbxl_database.csv", zone)
    for found in find_ecg_files(sorted(path for path in folder.iterdir() if path.is_dir())):
        try:
            if found.error is not None:
                continue
            record = read_ecg(found.path, member=found.member, zone=zone)
        except InputFileError:
            continue
        where, _, inside = found.display_name.partition("/")
        if where == "ptbxl500":
            record = table.apply(record, inside)
        yield Judged(folder_of(found.display_name), inside, record, gate(record))


def counts_of(judged: Sequence[Judged]) -> Iterator[str]:
    yield "| folder | analysable | poor_quality | excluded | findings |"
    yield "|---|---:|---:|---:|---|"
    for folder in sorted({item.folder for item in judged}):
        mine = [item.verdict for item in judged if item.folder == folder]
        status = Counter(verdict.status for verdict in mine)
        told = Counter(
            code for v in mine for code in sorted({f"{f.code} {f.effect}" for f in v.findings})
        )
        words = ", ".join(f"{name} {n}" for name, n in told.most_common()) or "none"
        yield (f"| {folder} | {status['analysable']} | {status['poor_quality']} "
               f"| {status['excluded']} | {words} |")  # fmt: skip


def withheld(judged: Sequence[Judged]) -> Iterator[str]:
    yield "| file | status | reasons |"
    yield "|---|---|---|"
    for item in judged:
        if not item.verdict.analysable:
            name = item.name.rpartition("/")[2]
            reasons = "; ".join(item.verdict.reasons)
            yield f"| {item.folder}: {name} | {item.verdict.status} | {reasons} |"


def remarks(folder: Path, judged: Sequence[Judged]) -> Iterator[str]:
    """Compare PTB-XL's remarks with the worst lead's figure."""
    with (folder / "ptbxl500" / "ptbxl_database.csv").open(encoding="utf-8") as file:
        rows = {row["filename_hr"]: row for row in csv.DictReader(file)}
    items = [item for item in judged if item.name.endswith("_hr.hea")]
    figures = []
    for item in items:
        window = scored_window(item.record.signal_mv, item.record.sampling_hz)
        used = item.record.signal_mv[:, window.slice]
        figures.append(lead_noise(used, item.record.sampling_hz))
    yield "| remark of PTB-XL | records with it | our figure, worst lead | AUROC (95 %) |"
    yield "|---|---:|---|---|"
    for remark, figure in REMARKS:
        y = [bool(rows[item.name.removesuffix(".hea")][remark].strip()) for item in items]
        score = [float(getattr(found, figure).max()) for found in figures]
        value = auroc(np.array(y), np.array(score))
        yield (f"| {remark} | {sum(y)} | {figure} "
               f"| {value.value:.3f} ({value.low:.3f} to {value.high:.3f}) |")  # fmt: skip


def pacing_by_spikes(folder: Path) -> Iterator[str]:
    found, missed = Counter[tuple[str, bool, bool]](), []
    for ecg in real_ecgs(folder):
        coded = "PACED" in affirmed_findings(ecg.record.statements)
        verdict = gate(replace(ecg.record, statements=()))
        spiked = any(f.code == "pacing" and f.effect == "excludes" for f in verdict.findings)
        found[ecg.dataset, coded, spiked] += 1
        if coded and not spiked:
            missed.append(f"{ecg.dataset} {ecg.name}")
    yield "| data set | coded paced: found | not coded: called paced |"
    yield "|---|---:|---:|"
    for dataset in sorted({key[0] for key in found}):
        n = {coded: sum(found[dataset, coded, s] for s in (True, False)) for coded in (True, False)}
        yield (f"| {dataset} | {found[dataset, True, True]} of {n[True]} "
               f"| {found[dataset, False, True]} of {n[False]} |")  # fmt: skip
    yield ""
    yield f"Coded as paced and not found: {', '.join(missed) or 'none'}."


def swaps(named: Sequence[tuple[str, Sequence[EcgRecord]]]) -> Iterator[str]:
    """Count what is called a swap as recorded and after each exchange."""
    columns = ("as recorded", *EXCHANGES)
    yield "| ECGs | n | " + " | ".join(columns) + " |"
    yield "|---|---:|" + "---:|" * len(columns)
    for name, records in named:
        called = Counter[str]()
        for record in records:
            for column in columns:
                other = record if column == "as recorded" else exchanged(record, column)
                codes = {f.code for f in gate(other).findings}
                called[column] += "limb_swap" in codes
        cells = " | ".join(str(called[column]) for column in columns)
        yield f"| {name} | {len(records)} | {cells} |"


def examples(name: str, n: int, sampling_hz: float) -> Iterator[EcgRecord]:
    signals = synthesise(example_parameters(name, n, SEED), sampling_hz)
    for signal in signals:
        yield EcgRecord(signal, CANONICAL_LEADS, sampling_hz, age_years=60.0)


def simulated_pacing() -> Iterator[str]:
    rates = (100.0, 250.0, 500.0, 1000.0)
    yield "| pattern | " + " | ".join(f"{hz:g} Hz" for hz in rates) + " |"
    yield "|---|" + "---:|" * len(rates)
    for name in sorted(EXAMPLES, key=lambda name: (not name.startswith("paced"), name)):
        cells, n = [], N_PACED if name.startswith("paced") else N_OTHER
        for hz in rates:
            verdicts = [gate(record) for record in examples(name, n, hz)]
            cells.append(f"{sum(v.status == 'excluded' for v in verdicts)} of {n}")
        yield f"| {name} | {' | '.join(cells)} |"


def simulated_cohort(n: int) -> Iterator[str]:
    cohort = simulate_patients(n, SEED)
    records = list(cohort.records(None, 500.0))[: 3 * n]
    started = perf_counter()
    verdicts = [gate(record) for record in records]
    each_ms = (perf_counter() - started) / len(records) * 1000
    told = Counter(f"{f.code} {f.effect}" for v in verdicts for f in v.findings)
    status = Counter(v.status for v in verdicts)
    yield f"{len(records)} ECGs of {n} simulated patients (seed {SEED}, 500 Hz, 10 s):"
    yield f"{dict(status)}; findings: {dict(told)}."
    yield ""
    yield f"The gate takes {each_ms:.1f} ms an ECG, delineation for the pacing spikes included."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    judged = list(judged_files(folder))
    real = [ecg for ecg in real_ecgs(folder) if gate(ecg.record).analysable]
    by_set = [
        (name, [ecg.record for ecg in real if ecg.dataset == name])
        for name in ("ptbxl500", "cinc2021")
    ]
    by_set.append(("simulated, normal", list(examples("normal", N_PACED, 500.0))))
    sections = (
        ("Real files: where they fall", counts_of(judged)),
        ("Every file that is not analysable", withheld(judged)),
        ("PTB-XL's remarks on quality", remarks(folder, judged)),
        ("Called a limb-lead swap, analysable ECGs of 12 leads", swaps(by_set)),
        ("Real ECGs: pacing by spikes alone, the codes hidden", pacing_by_spikes(folder)),
        ("Simulated patterns: excluded as paced", simulated_pacing()),
        ("Simulated patients", simulated_cohort(150)),
    )
    print(PREFACE)
    for title, lines in sections:
        print(f"\n## {title}\n")
        print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main()
