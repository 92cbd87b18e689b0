"""WFDB records that the wfdb package, scipy or plain bytes make: every signal format and layout."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecgdash.domain import CANONICAL_LEADS
from tests.io.io_fixtures import RATE_HZ, make_counts

GAIN = 200.0
EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
N_SAMPLES = 1000


def counts_of(names: tuple[str, ...] = EIGHT, n_samples: int = N_SAMPLES) -> NDArray[np.int64]:
    """Counts (samples, leads) as `expected_mv` has them."""
    counts = make_counts(n_samples)
    return np.stack([counts[name] for name in names], axis=1)


def expected(counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Millivolts, leads first."""
    return (counts.T / GAIN).astype(np.float32)


def write_record(
    folder: Path,
    name: str = "record",
    *,
    counts: NDArray[np.int64] | None = None,
    leads: tuple[str, ...] = EIGHT,
    fmt: str = "16",
    fs: float = RATE_HZ,
) -> Path:
    """A record of one segment, written by wfdb."""
    import wfdb

    samples = counts_of(leads) if counts is None else counts
    n = len(leads)
    wfdb.wrsamp(
        name,
        fs=fs,
        units=["mV"] * n,
        sig_name=list(leads),
        d_signal=samples,
        fmt=[fmt] * n,
        adc_gain=[GAIN] * n,
        baseline=[0] * n,
        write_dir=str(folder),
    )
    return folder / f"{name}.hea"


def write_bytes(
    folder: Path,
    samples: bytes,
    counts: NDArray[np.int64],
    spec: str,
    *,
    name: str = "record",
    first: NDArray[np.int64] | None = None,
) -> Path:
    """A record whose signal file is made by hand; the header's sums are those of `counts`."""
    (folder / f"{name}.dat").write_bytes(samples)
    lines = [f"{name} {counts.shape[1]} {RATE_HZ} {len(counts)}"]
    begins = counts[0] if first is None else first
    for lead, column, start in zip(CANONICAL_LEADS, counts.T, begins, strict=False):
        total = int(column.sum()) & 0xFFFF
        lines.append(f"{name}.dat {spec} {GAIN:g}/mV 16 0 {start} {total} 0 {lead}")
    header = folder / f"{name}.hea"
    header.write_text("\n".join(lines) + "\n")
    return header


def packed(counts: NDArray[np.int64], fmt: str) -> bytes:
    """Samples as header(5) and signal(5) of the WFDB Applications Guide lay them out."""
    flat = counts.reshape(-1)
    if fmt == "61":
        return flat.astype(">i2").tobytes()
    if fmt == "160":
        return (flat + 32768).astype("<u2").tobytes()
    if fmt == "8":
        steps = np.diff(counts, axis=0, prepend=counts[:1])
        return steps.astype("<i1").tobytes()
    out = bytearray()
    blocks = np.append(flat, np.zeros(-len(flat) % 3, dtype=np.int64)).reshape(-1, 3)
    for block in blocks:
        a, b, c = (int(value) & 0x3FF for value in block)
        if fmt == "310":
            first = a << 1 | (c & 0x1F) << 11
            second = b << 1 | (c >> 5 & 0x1F) << 11
            out += first.to_bytes(2, "little") + second.to_bytes(2, "little")
        else:
            out += (a | b << 10 | c << 20).to_bytes(4, "little")
    return bytes(out)


def write_cinc(folder: Path, name: str = "A0001") -> Path:
    """A record as PhysioNet/CinC 2021 has them: MATLAB 4 by scipy, a header by hand."""
    from scipy.io import savemat

    counts = counts_of(CANONICAL_LEADS)
    savemat(folder / f"{name}.mat", {"val": counts.T.astype(np.int16)}, format="4")
    lines = [f"{name} 12 {RATE_HZ} {len(counts)} 12-May-2020 12:33:59"]
    for lead, column in zip(CANONICAL_LEADS, counts.T, strict=True):
        total = (int(column.sum()) + 32768) % 65536 - 32768
        lines.append(f"{name}.mat 16+24 {GAIN:g}/mv 16 0 {column[0]} {total} 0 {lead}")
    lines += ["#Age: 74", "#Sex: Female", "#Dx: 426783006,164909002"]
    header = folder / f"{name}.hea"
    header.write_text("\n".join(lines) + "\n")
    return header


def write_without_length(folder: Path) -> Path:
    """A header that leaves the length to its signal file."""
    header = write_record(folder)
    text = header.read_text()
    header.write_text(text.replace(f" {RATE_HZ} {N_SAMPLES}", f" {RATE_HZ}", 1))
    return header


def write_segments(folder: Path) -> Path:
    """A fixed layout: three segments of the same signals, the master header by hand."""
    counts = counts_of()
    for name, part in zip(("a", "b", "c"), np.split(counts, (300, 650)), strict=True):
        write_record(folder, f"record_{name}", counts=part)
    master = folder / "record.hea"
    master.write_text(
        f"record/3 8 {RATE_HZ} {N_SAMPLES} 14:30:05 31/05/2024\n"
        "record_a 300\nrecord_b 350\nrecord_c 350\n#Age: 63\n"
    )
    return master


def write_layout(folder: Path) -> Path:
    """A variable layout: lead V1 joins later, and between the segments lies a gap of 200."""
    counts = counts_of(("I", "II", "V1"))
    write_record(folder, "record_1", counts=counts[:300, :2], leads=("I", "II"))
    write_record(folder, "record_2", counts=counts[500:, [2, 0]], leads=("V1", "I"))
    (folder / "record_layout.hea").write_text(
        f"record_layout 3 {RATE_HZ} 0\n"
        + "".join(f"~ 0 {GAIN:g}/mV 16 0 0 0 0 {lead}\n" for lead in ("I", "II", "V1"))
    )
    master = folder / "record.hea"
    master.write_text(
        f"record/4 3 {RATE_HZ} {N_SAMPLES}\nrecord_layout 0\nrecord_1 300\n~ 200\nrecord_2 500\n"
    )
    return master
