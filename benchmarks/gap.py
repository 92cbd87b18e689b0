"""Compare real normal ECGs with simulated ones, measured by the same code.

    python -m benchmarks.gap PTBXL_FOLDER [PATIENTS] [SEED]

PTBXL_FOLDER holds PTB-XL's `ptbxl_database.csv` and its 500 Hz records. Used are the
adults called NORM in sinus rhythm, one ECG each, of the half of the patients that the
simulator may be tuned on. Prints median [5 to 95 %] of each side, whether the simulated
median lies inside the real range, and the ratio of the two ranges' widths.
"""

import argparse
import ast
import csv
import hashlib
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from ecgdash.domain.leads import CANONICAL_LEADS
from ecgdash.io import read_ecg
from ecgdash.signal.measure import measure_batch
from ecgdash.simulate.cohort import simulate_patients
from ecgdash.simulate.oracle import normal_visits

SAMPLING_HZ = 500.0
N_SAMPLES = 5000
SINUS_CODES = {"SR", "SBRAD", "STACH", "SARRH"}
CHEST = CANONICAL_LEADS[6:]
INDEPENDENT = [CANONICAL_LEADS.index(name) for name in ("I", "II", *CHEST)]


def may_be_tuned_on(patient_id: str) -> bool:
    """Return whether a PTB-XL patient is in the half that cut-offs and sizes may be set on."""
    digest = hashlib.sha256(f"ecgdash-real-half/ptbxl500/{patient_id}".encode()).hexdigest()
    return int(digest, 16) % 2 == 0


def real_normals(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return signals (n, 12, 5000) in mV and ages of real normal ECGs."""
    signals, ages, seen = [], [], set()
    with (folder / "ptbxl_database.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            codes = set(ast.literal_eval(row["scp_codes"]))
            patient, age = str(int(float(row["patient_id"]))), float(row["age"] or "nan")
            wanted = "NORM" in codes and codes & SINUS_CODES and age >= 18 and patient not in seen
            if not wanted or not may_be_tuned_on(patient):
                continue
            record = read_ecg(folder / (row["filename_hr"] + ".hea"))
            seen.add(patient)
            signals.append(record.signal_mv[:, :N_SAMPLES])
            ages.append(age)
    return np.array(signals), np.array(ages)


def simulated_normals(patients: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same of simulated people without disease: one ECG each, at most 600."""
    cohort = simulate_patients(patients, seed)
    rows = np.flatnonzero(normal_visits(cohort))
    rows = rows[np.unique(cohort.patient_index[rows], return_index=True)[1]][:600]
    parts = [batch.signal_mv for batch in cohort.iter_ecgs(64, SAMPLING_HZ, rows)]
    return np.concatenate(parts), cohort.age_years[rows]


def quantities(signals: np.ndarray, ages: np.ndarray) -> dict[str, np.ndarray]:
    """Measure what the table shows; one value an ECG each."""
    m = measure_batch(signals, SAMPLING_HZ)
    out = {
        "age, years": ages,
        "heart rate, bpm": m.heart_rate_bpm,
        "PR, ms": m.pr_ms,
        "QRS, ms": m.qrs_ms,
        "QT, ms": m.qt_ms,
        "QTc (Bazett), ms": m.qtc_ms,
        "RR coefficient of variation": m.rr_cv,
        "ectopic beats (mean: share)": (m.ectopic_beats > 0).astype(float),
        "P consistency": m.p_consistency,
        "P duration, ms": m.p_ms,
        "P in II, mV": m.lead("p_mv", "II"),
        "QRS axis, deg": m.qrs_axis_deg,
        "T axis, deg": m.t_axis_deg,
        "rise of QRS, ms": m.qrs_rise_ms,
        "R-peak time I, ms": m.lead("r_peak_ms", "I"),
        "R-peak time V6, ms": m.lead("r_peak_ms", "V6"),
        "Sokolow-Lyon, mV": np.maximum(m.lead("r_mv", "V5"), m.lead("r_mv", "V6"))
        - m.lead("s_mv", "V1"),
        "Cornell, mV": m.lead("r_mv", "aVL") - m.lead("s_mv", "V3"),
    }
    for lead in ("I", "II", "III", "aVL", "aVF", *CHEST):
        out[f"peak to peak {lead}, mV"] = m.lead("qrs_pp_mv", lead)
    for lead in CHEST:
        out[f"R {lead}, mV"] = m.lead("r_mv", lead)
        out[f"S {lead}, mV"] = -m.lead("s_mv", lead)
    for lead in ("I", "II", "V1", "V2", "V3", "V5", "V6"):
        out[f"T {lead}, mV"] = m.lead("t_mv", lead)
    for lead in ("II", "V2", "V5"):
        out[f"ST60 {lead}, mV"] = m.lead("st60_mv", lead)
    return out | signal_quantities(signals)


def signal_quantities(signals: np.ndarray) -> dict[str, np.ndarray]:
    """Measure noise, steepness and the share of three principal components."""
    high = butter(4, 45.0, "highpass", fs=SAMPLING_HZ, output="sos")
    band = butter(4, (0.67, 40.0), "bandpass", fs=SAMPLING_HZ, output="sos")
    noise_uv, slope, share = [], [], []
    for signal in signals[:, INDEPENDENT].astype(float):
        # The median passes over the complexes: what is left is noise.
        fast = sosfiltfilt(high, signal[[1, 6]], axis=-1)
        noise_uv.append(1000 * 1.4826 * np.median(np.abs(fast), axis=-1))
        heart = sosfiltfilt(band, signal, axis=-1)[:, 150:-150]
        steep = np.sqrt((np.diff(heart, axis=-1) ** 2).mean(axis=0)) * SAMPLING_HZ
        slope.append(np.percentile(steep, 99.5))
        power = np.linalg.svd(heart, compute_uv=False) ** 2
        share.append(power[:3].sum() / power.sum())
    noise = np.array(noise_uv)
    return {
        "noise above 45 Hz, II, uV": noise[:, 0],
        "noise above 45 Hz, V5, uV": noise[:, 1],
        "steepest slope (mean of leads), mV/s": np.array(slope),
        "share of 3 components": np.array(share),
    }


def print_table(real: dict[str, np.ndarray], simulated: dict[str, np.ndarray]) -> None:
    """Print the comparison and the number of medians outside."""
    print("| | real | simulated | median inside | width, simulated / real |")
    print("|---|---|---|---|---|")
    outside = []
    for name, values in real.items():
        if "mean" in name and "share" in name:
            print(f"| {name} | {np.mean(values):.3f} | {np.mean(simulated[name]):.3f} | | |")
            continue
        ranges = [np.nanpercentile(v, [5, 50, 95]) for v in (values, simulated[name])]
        (low, _, high), (_, middle, _) = ranges
        inside = low <= middle <= high
        outside += [] if inside else [name]
        ratio = (ranges[1][2] - ranges[1][0]) / max(high - low, 1e-9)
        digits = 4 if high < 2 and "share" in name else 2 if high < 20 else 0
        cells = [f"{r[1]:.{digits}f} [{r[0]:.{digits}f} to {r[2]:.{digits}f}]" for r in ranges]
        print(f"| {name} | {cells[0]} | {cells[1]} | {'yes' if inside else 'NO'} | {ratio:.2f} |")
    print(f"outside the real 5 to 95 %: {', '.join(outside) or 'none'}")


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description="Real against simulated normal ECGs.")
    parser.add_argument("folder", type=Path, help="folder with ptbxl_database.csv")
    parser.add_argument("patients", type=int, nargs="?", default=2500)
    parser.add_argument("seed", type=int, nargs="?", default=601)
    chosen = parser.parse_args()
    if not (chosen.folder / "ptbxl_database.csv").is_file():
        parser.error(f"no ptbxl_database.csv in {chosen.folder}: real ECGs are absent")
    real = real_normals(chosen.folder)
    simulated = simulated_normals(chosen.patients, chosen.seed)
    print(f"{len(real[0])} real, {len(simulated[0])} simulated normal ECGs (seed {chosen.seed})")
    print_table(quantities(*real), quantities(*simulated))


if __name__ == "__main__":
    main()
