"""Research layouts and tables, written by numpy, scipy, h5py, csv and json: not by our writers."""

import csv
import json
from pathlib import Path

import numpy as np

from ecgdash.domain import CANONICAL_LEADS
from tests.io import io_fixtures as made

N_SAMPLES = 1000
SIDECAR = {"sampling_hz": 500, "units": "uV", "leads": list(CANONICAL_LEADS)}


def microvolts(n_samples: int = N_SAMPLES) -> np.ndarray:
    """Whole microvolts, 12 x n, as `io_fixtures.expected_mv` has them."""
    counts = made.make_counts(n_samples)
    return np.stack([counts[name] for name in CANONICAL_LEADS]) * int(made.STEP_UV)


def _sidecar(file: Path, **changes: object) -> Path:
    file.with_name(file.name + ".json").write_text(json.dumps(SIDECAR | changes))
    return file


def write_csv(folder: Path) -> Path:
    """Header row with lead names; rate and unit in the sidecar."""
    file = folder / "record.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(CANONICAL_LEADS)
        writer.writerows(microvolts().T.tolist())
    return _sidecar(file)


def write_timed_csv(folder: Path) -> Path:
    """Semicolons, decimal commas, units beside the leads and a time column: no sidecar."""
    file = folder / "timed.csv"
    head = ";".join(["time (s)", *(f"{name} [mV]" for name in CANONICAL_LEADS)])
    rows = [
        ";".join([f"{i / 500:.3f}", *(f"{value / 1000:.3f}" for value in sample)])
        for i, sample in enumerate(microvolts().T)
    ]
    file.write_text("\n".join([head, *rows]).replace(".", ",") + "\n", encoding="utf-8")
    return file


def write_text(folder: Path) -> Path:
    """GE's text export: rows and columns stated, then numbers."""
    file = folder / "record.txt"
    rows = "\n".join(" ".join(map(str, sample)) + " " for sample in microvolts().T)
    file.write_text(f"\n\nRhythm signal: {N_SAMPLES} X 12 \n\n {rows}\n")
    return _sidecar(file)


def write_apple(folder: Path, *, comma: bool = True) -> Path:
    """An Apple Health export: Dutch with decimal commas, or English with points."""
    file = folder / "watch.csv"
    head = [
        "Naam,Vries", "Geboren,1 jan 1960", "Opnamedatum,2023-06-28 13:03:46 +0200",
        "Classificatie,Sinusritme", "Symptomen,", "Softwareversie,1.90", 'Apparaat,"Watch4,2"',
        "Meetfrequentie,511.844 hertz", "", "", "Afleiding,Afleiding I", "Eenheid,µV", "",
    ] if comma else [
        "Name,Smith", 'Date of Birth,"Jan 1, 1960"', "Recorded Date,2023-06-28 13:03:46 +0200",
        "Classification,Sinus Rhythm", "Symptoms,", "Software Version,1.90", 'Device,"Watch4,2"',
        "Sample Rate,512 hertz", "", "", "Lead,Lead I", "Unit,µV", "",
    ]  # fmt: skip
    samples = [f"{value + 0.307:.3f}" for value in microvolts()[0]]
    if comma:
        head[7] = head[7].replace(".", ",")
        samples = [text.replace(".", ",") for text in samples]
    file.write_text("\n".join([*head, *samples]) + "\n", encoding="utf-8")
    return file


def write_npy(folder: Path) -> Path:
    np.save(folder / "record.npy", microvolts().astype(np.int16))
    return _sidecar(folder / "record.npy")


def write_many_npy(folder: Path) -> Path:
    np.save(folder / "many.npy", np.stack([microvolts(), microvolts()[::-1]]).astype(np.float32))
    return _sidecar(folder / "many.npy")


def write_echonext(folder: Path, *, units: str | None = "mV") -> Path:
    """Two ECGs of the test split; in the metadata the training split stands between them."""
    waves = np.zeros((2, 1, 2500, 12), dtype=np.float32)
    waves[0, 0, :1000] = microvolts().T / 100.0
    waves[1, 0, 500:1500] = microvolts().T / 200.0
    file = folder / "EchoNext_test_waveforms.npy"
    np.save(file, waves)
    head = (
        "ecg_key,patient_key,age_at_ecg,sex,ventricular_rate,atrial_rate,pr_interval,"
        "qrs_duration,qt_corrected,acquisition_year,split,lvef_lte_45_flag"
    )
    rows = [
        "e1,p1,61,Male,75,75,160,92,430,2015,test,0",
        "e2,p2,50,Female,60,60,150,80,400,2015,train,1",
    ]
    rows.append("e3,p1,64,Male,88,88,170,96,440,2018,test,1")
    (folder / "echonext_metadata_100k.csv").write_text("\n".join([head, *rows]) + "\n")
    if units is not None:
        file.with_name(file.name + ".json").write_text(json.dumps({"units": units}))
    return file


def write_code15(folder: Path, *, units: str | None = "mV") -> Path:
    """A part with three tracings, padded with zeros, and its table of exams."""
    import h5py

    file = folder / "exams_part0.hdf5"
    tracings = np.zeros((3, 2048, 12), dtype=np.float32)
    for i in range(3):
        tracings[i, 500:1500] = microvolts().T / 1000.0 * (i + 1)
    with h5py.File(file, "w") as opened:
        opened["tracings"] = tracings
        opened["exam_id"] = np.array([901, 902, 903], dtype=np.int64)
    head = "exam_id,age,is_male,nn_predicted_age,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,trace_file"
    rows = ["901,40,True,41,0,0,0,0,0,0,7,exams_part0.hdf5", "902,52,False,50,0,0,0,0,0,0,8,x"]
    (folder / "exams.csv").write_text("\n".join([head, *rows]) + "\n")
    if units is not None:
        file.with_name(file.name + ".json").write_text(json.dumps({"units": units}))
    return file


def write_sph(folder: Path, *, n: int = N_SAMPLES) -> Path:
    """float16 in gzip chunks, with the table that states n and rate."""
    import h5py

    file = folder / "A00001.h5"
    with h5py.File(file, "w") as opened:
        values = (microvolts() / 1000.0).astype(np.float16)
        opened.create_dataset("ecg", data=values, chunks=(3, 250), compression="gzip")
    head = "ECG_ID,AHA_Code,Patient_ID,Age,Sex,N,Date"
    (folder / "metadata.csv").write_text(f"{head}\nA00001,22;23,S00001,55,M,{n},2020-03-04\n")
    return file


def write_cpsc(folder: Path, *, compressed: bool = False) -> Path:
    from scipy.io import savemat

    file = folder / "A9001.mat"
    held = {"sex": "Male", "age": 52.0, "data": microvolts() / 1000.0}
    savemat(file, {"ECG": held}, do_compression=compressed)
    return file


def write_code15_mat(folder: Path, *, units: str | None = "mV") -> Path:
    from scipy.io import savemat

    file = folder / "code_15_901.mat"
    content = {
        "org_sample_rate": 400, "curr_sample_rate": 400, "org_sample_size": N_SAMPLES,
        "curr_sample_size": N_SAMPLES, "feats": (microvolts() / 1000.0).astype(np.float32),
        "idx": 5,
    }  # fmt: skip
    savemat(file, content)
    if units is not None:
        file.with_name(file.name + ".json").write_text(json.dumps({"units": units}))
    return file


def write_json(folder: Path, **changes: object) -> Path:
    """The layout around ZZU pECG; the unit stands in a sidecar of the file's own name."""
    file = folder / "P1_E01.json"
    millivolts = microvolts() / 1000.0
    signal = {
        "leads": {name: millivolts[i].tolist() for i, name in enumerate(CANONICAL_LEADS)},
        "sampleRate": 500, "duration": N_SAMPLES / 500, "numSamples": N_SAMPLES,
    }  # fmt: skip
    patient = {
        "name": "PATIENT, P1", "mrn": "P1", "dob": "2016-01-01", "age": "7.5 yr", "sex": "F",
        "testDateTime": "2023-07-03 08:52:59",
    }  # fmt: skip
    content = {"signal": signal | changes, "patient": patient, "diagnosis": {"statements": ["N"]}}
    file.write_text(json.dumps(content))
    return _sidecar(file, units="mV", leads=None, sampling_hz=None)
