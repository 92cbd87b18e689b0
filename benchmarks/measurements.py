"""How right and how fast the measurements are.

    python -m benchmarks.measurements [FOLDER_OF_REAL_FILES]

Bias (mean) and 95 % limits of agreement (Bland and Altman 1986, mean +- 1.96 SD) of
`ecgdash.signal.measure`, ours minus theirs: against the values of the carts whose files lie
in the folder (default ../shared/data), and against simulated truth by class and by noise.
Then the time an ECG takes.
"""

import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.errors import EcgDashError
from ecgdash.signal.measure import measure, measure_batch
from ecgdash.signal.measure_beats import measure_beats
from ecgdash.simulate.examples import example_parameters
from ecgdash.simulate.waveform import synthesise, truth

CART_FOLDERS = ("muse_xml", "one_ecg_three_formats", "philips_sierra", "image_dicom_pair")
COLUMNS = {
    "heart_rate_bpm": "rate, bpm",
    "pr_ms": "PR, ms",
    "qrs_ms": "QRS, ms",
    "qt_ms": "QT, ms",
    "qtc_ms": "QTc Bazett, ms",
    "qtc_fridericia_ms": "QTc Fridericia, ms",
    "p_axis_deg": "P axis, deg",
    "qrs_axis_deg": "QRS axis, deg",
    "t_axis_deg": "T axis, deg",
}
CLASSES = (
    "normal",
    "lafb",
    "rbbb",
    "lbbb",
    "paced",
    "wpw",
    "first_degree_block",
    "afib",
    "flutter",
    "anterior_mi",
    "inferior_mi",
    "lvh_strain",
    "low_voltage",
    "pvc",
    "noisy",
)
CLEAN = {"emg_uv": 0.5, "mains_uv": 0.1, "baseline_uv": 8.0}
NOISE = {
    "clean": CLEAN,
    "middling": CLEAN | {"emg_uv": 5.0, "mains_uv": 3.0, "baseline_uv": 40.0},
    "noisy": CLEAN | {"emg_uv": 15.0, "mains_uv": 10.0, "baseline_uv": 100.0},
}


def agreement(differences) -> str:
    """Return n, bias and limits of agreement; few values have no limits."""
    d = np.asarray(differences, dtype=float)
    d = d[np.isfinite(d)]
    if d.size == 0:
        return "-"
    if d.size < 3:
        return f"{d.mean():+.1f} (n {d.size})"
    spread = 1.96 * d.std(ddof=1)
    return f"{d.mean():+.1f} [{d.mean() - spread:+.1f}, {d.mean() + spread:+.1f}] (n {d.size})"


def turn(degrees):
    """Bring a difference of angles to -180 to 180."""
    return (degrees + 180.0) % 360.0 - 180.0


def cart_records(folder: Path) -> list[EcgRecord]:
    """Return the ECGs that hold a cart's values, each once (some lie there in three formats)."""
    from ecgdash.io import read_ecg

    held: dict[str, EcgRecord] = {}
    for file in sorted(f for name in CART_FOLDERS for f in (folder / name).glob("*")):
        try:
            record = read_ecg(file)
        except EcgDashError:  # pictures and PDF renderings lie beside the signals
            continue
        known = held.get(record.sha256)
        if record.measurements and (
            known is None or len(known.measurements) < len(record.measurements)
        ):
            held[record.sha256] = record
    return list(held.values())


def own_values(record: EcgRecord) -> dict[str, float]:
    found = measure(record)
    return {name: float(getattr(found, name)[0]) for name in COLUMNS}


def cart_values(record: EcgRecord) -> dict[str, float]:
    """Return the cart's values, QTc by each formula from its QT and rate where it gives both."""
    values = dict(record.measurements)
    rate, qt = values.get("heart_rate_bpm"), values.get("qt_ms")
    if rate and qt:
        values["qtc_ms"] = qt * (rate / 60.0) ** 0.5
        values["qtc_fridericia_ms"] = qt * (rate / 60.0) ** (1 / 3)
    return values


def against_carts(folder: Path) -> None:
    records = cart_records(folder)
    rows = [(own_values(r), cart_values(r)) for r in records]
    print(f"\nAgainst {len(records)} real ECGs with a cart's values, ours minus the cart's:")
    for name, title in COLUMNS.items():
        d = [mine[name] - theirs.get(name, np.nan) for mine, theirs in rows]
        if name.endswith("_deg"):
            d = [turn(v) for v in d]
        each = " ".join("-" if np.isnan(v) else f"{v:+.0f}" for v in d)
        print(f"  {title:20s} {agreement(d):34s} each: {each}")
    print("  in the order", ", ".join(r.source_name for r in records))


def true_differences(name: str, n: int, hz: float, **columns) -> dict[str, np.ndarray]:
    parameters = example_parameters(name, n, seed=411, **columns)
    found, right = measure_batch(synthesise(parameters, hz), hz), truth(parameters)
    rate = right.heart_rate_bpm / 60.0
    return {
        "rate": found.heart_rate_bpm - right.heart_rate_bpm,
        "PR": found.pr_ms - right.pr_ms,
        "QRS": found.qrs_ms - right.qrs_ms,
        "QT": found.qt_ms - right.qt_ms,
        "QTc": found.qtc_ms - right.qt_ms * rate**0.5,
    }


def against_truth(n: int = 100) -> None:
    print(f"\nAgainst simulated truth, {n} ECGs a row, ours minus truth (250 Hz):")
    for name in CLASSES:
        d = true_differences(name, n, 250.0)
        print(f"  {name:20s}", "  ".join(f"{k} {agreement(v)}" for k, v in d.items()))
    print("\nBy noise (500 Hz):")
    for name in ("normal", "lbbb", "rbbb"):
        for level, columns in NOISE.items():
            d = true_differences(name, n, 500.0, **columns)
            row = "  ".join(f"{k} {agreement(v)}" for k, v in d.items())
            print(f"  {name + ', ' + level:20s}", row)


def median_ms(call, inputs) -> float:
    call(inputs[0])
    times = []
    for value in inputs:
        start = time.perf_counter()
        call(value)
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


def speed() -> None:
    signals = synthesise(example_parameters("normal", 40, seed=1), 500.0)
    records = [EcgRecord(s, CANONICAL_LEADS, 500.0) for s in signals]
    print("\nTime, one core, 12 leads, 10 s:")
    print(f"  measure, one ECG at 500 Hz        {median_ms(measure, records):6.1f} ms")
    print(f"  measure_beats, one ECG at 500 Hz  {median_ms(measure_beats, records):6.1f} ms")
    batch = synthesise(example_parameters("normal", 256, seed=1), 250.0)
    per_batch = median_ms(lambda b: measure_batch(b, 250.0), [batch] * 5)
    print(f"  measure_batch, 256 ECGs at 250 Hz {256e3 / per_batch:6.0f} ECG/s")


def main() -> None:
    warnings.simplefilter("ignore")
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    if folder.is_dir():
        against_carts(folder)
    else:
        print("The folder of real ECG files is not there: no comparison with carts.")
    against_truth()
    speed()


if __name__ == "__main__":
    main()
