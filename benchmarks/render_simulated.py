"""Draw simulated ECGs on ECG paper (25 mm/s, 10 mm/mV) to look at them.

    python benchmarks/render_simulated.py OUT_FOLDER [CASE ...]

Uses matplotlib, which neurokit2 brings along; the package itself does not need it.
"""

import sys
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from ecgdash.domain.leads import CANONICAL_LEADS  # noqa: E402
from ecgdash.simulate.examples import EXAMPLES, example_parameters  # noqa: E402
from ecgdash.simulate.waveform import synthesise, truth  # noqa: E402

SAMPLING_HZ = 500.0
MM_PER_S, MM_PER_MV = 25.0, 10.0
ROWS = (("I", "aVR", "V1", "V4"), ("II", "aVL", "V2", "V5"), ("III", "aVF", "V3", "V6"))
ROW_MM, WIDTH_MM = 38.0, 262.0


def draw_paper(axes, height_mm):
    for step, width in ((1.0, 0.25), (5.0, 0.7)):
        axes.vlines(np.arange(0, WIDTH_MM, step), 0, height_mm, color="#f0b0b0", lw=width)
        axes.hlines(np.arange(0, height_mm, step), 0, WIDTH_MM, color="#f0b0b0", lw=width)


def draw_trace(axes, trace_mv, left_mm, base_mm, name):
    along = left_mm + np.arange(trace_mv.size) / SAMPLING_HZ * MM_PER_S
    axes.plot(along, base_mm + trace_mv * MM_PER_MV, color="black", lw=0.7)
    axes.text(left_mm + 1, base_mm + 13, name, fontsize=8, weight="bold")


def render(name, folder, seed=7):
    parameters = example_parameters(name, 1, seed)
    ecg = synthesise(parameters, SAMPLING_HZ)[0]
    leads = dict(zip(CANONICAL_LEADS, ecg, strict=True))
    height_mm = ROW_MM * 4
    figure = plt.figure(figsize=(WIDTH_MM / 25.4, height_mm / 25.4 + 0.3), dpi=130)
    axes = figure.add_axes((0, 0, 1, height_mm / (height_mm + 8)))
    draw_paper(axes, height_mm)
    quarter = int(2.5 * SAMPLING_HZ)
    for row, names in enumerate(ROWS):
        base = height_mm - ROW_MM * (row + 0.55)
        for column, lead in enumerate(names):
            part = slice(column * quarter, (column + 1) * quarter)
            draw_trace(axes, leads[lead][part], 6 + column * 62.5, base, lead)
    draw_trace(axes, leads["II"], 6, height_mm - ROW_MM * 3.55, "II")
    known = truth(parameters)
    figure.text(
        0.02,
        0.965,
        f"simulated: {name}   HR {known.heart_rate_bpm[0]:.0f}  PR {known.pr_ms[0]:.0f}  "
        f"QRS {known.qrs_ms[0]:.0f}  QT {known.qt_ms[0]:.0f}   25 mm/s 10 mm/mV",
        fontsize=8,
    )
    axes.set(xlim=(0, WIDTH_MM), ylim=(0, height_mm))
    axes.axis("off")
    path = folder / f"{name}.png"
    figure.savefig(path)
    plt.close(figure)
    return path


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for case in sys.argv[2:] or list(EXAMPLES):
        print(render(case, target))
