"""Backends: they agree, keep an ECG's logits the same in any batch, make no network call."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import torch
from inference_family import FAMILY, ecg

from ecgdash.domain import EcgRecord
from ecgdash.errors import InputDoesNotFitModel, InvalidValue
from ecgdash.inference import backend_choice, backend_openvino
from ecgdash.inference.backend_choice import (
    AT_LEAST_FASTER,
    BackendWish,
    choose_backend,
    lower_backends,
)
from ecgdash.inference.backend_openvino import OpenVinoBackend, openvino_is_there
from ecgdash.inference.backends import TorchBackend
from ecgdash.inference.batches import Batches
from ecgdash.inference.engine import Engine
from ecgdash.inference.manifest import read_manifest
from ecgdash.inference.precision_record import PrecisionResult
from ecgdash.nets.family import FamilyNet
from ecgdash.signal.preprocess import preprocess_crops
from ecgdash.simulate.cohort import simulate_patients

ROOT = Path(__file__).resolve().parents[2]
PTB_XL = ROOT.parent / "shared" / "data" / "ptbxl500"
CPU = torch.device("cpu")
AGREE = 1e-5
"""Logits; the issue's bound between backends in float32."""

needs_openvino = pytest.mark.skipif(
    not openvino_is_there(), reason="openvino is not installed (requirements-openvino.txt)"
)
needs_cuda = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="this machine has no CUDA device"
)
each_backend = pytest.mark.parametrize(
    ("backend", "device"),
    [
        ("torch", "cpu"),
        pytest.param("openvino", "cpu", marks=needs_openvino),
        pytest.param("torch", "cuda", marks=needs_cuda),
    ],
)
each_number_of_threads = pytest.mark.parametrize("threads", [1, 2])


@pytest.fixture(scope="module")
def records() -> list[EcgRecord]:
    """Return ECGs of several rates and lengths, so that batches are mixed."""
    made = [ecg(i, hz=(500.0, 250.0, 1000.0)[i % 3]) for i in range(19)]
    cut = made[4]
    made[4] = replace(cut, signal_mv=cut.signal_mv[:, : round(9.3 * cut.sampling_hz)])
    return made


@pytest.fixture
def threads_again() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@each_backend
@each_number_of_threads
@pytest.mark.usefixtures("threads_again")
def test_an_ecg_has_the_same_logits_alone_in_any_batch_and_order(
    models_dir: Path, records: list[EcgRecord], backend: str, device: str, threads: int
) -> None:
    engine = Engine.load(FAMILY, device, models_dir, threads=threads, backend=backend)
    # two threads of torch beside another busy process are many times slower (decision 23)
    records = records if threads == 1 else records[:9]
    together = engine.base_logits(records)
    n_alone = len(records) if threads == 1 else 3
    alone = np.concatenate([engine.base_logits([record]) for record in records[:n_alone]])
    backwards = engine.base_logits(records[::-1])[::-1]
    np.testing.assert_allclose(together[:n_alone], alone, rtol=0, atol=1e-6)
    np.testing.assert_allclose(together, backwards, rtol=0, atol=1e-6)
    one = Engine.load(FAMILY, "cpu", models_dir, threads=1, backend="torch")
    np.testing.assert_allclose(together, one.base_logits(records), rtol=0, atol=AGREE)
    assert np.ptp(together) > 0.01
    assert engine.backend_name == backend
    version = torch.__version__ if backend == "torch" else metadata.version(backend)
    assert engine.computed_by == f"{backend} {version.split('-')[0]} float32 {device}"
    labels = engine.label_logits(records[:2])
    np.testing.assert_allclose(labels, one.label_logits(records[:2]), rtol=0, atol=AGREE)


@each_backend
def test_sessions_that_share_an_engine_get_their_own_logits(
    models_dir: Path, records: list[EcgRecord], backend: str, device: str
) -> None:
    engine = Engine.load(FAMILY, device, models_dir, backend=backend)
    expected = [engine.base_logits([record]) for record in records[:6]]
    found: dict[int, list[np.ndarray]] = {}

    def session(i: int) -> None:
        found[i] = [engine.base_logits([records[i]]) for _ in range(4)]

    sessions = [threading.Thread(target=session, args=(i,)) for i in range(6)]
    for one in sessions:
        one.start()
    for one in sessions:
        one.join()
    for i, rows in found.items():
        for row in rows:
            np.testing.assert_allclose(row, expected[i], rtol=0, atol=1e-6)
    assert len(found) == 6


def test_mixed_batches_are_prepared_as_each_ecg_is_alone(
    engine: Engine, records: list[EcgRecord]
) -> None:
    out = np.empty((len(records), 3, 12, 2250), np.float32)
    engine._prepare(records, out)
    for row, record in zip(out, records, strict=True):
        np.testing.assert_array_equal(row, preprocess_crops(record.signal_mv, record.sampling_hz))


@needs_openvino
@pytest.mark.parametrize("family", list(read_manifest()))
def test_openvino_agrees_with_torch_on_the_shipped_families(family: str) -> None:
    plain = Engine.load(family, "cpu", backend="torch")
    other = Engine.load(family, "cpu", backend="openvino")
    simulated = list(simulate_patients(12, 996).records())[:40]
    difference = np.abs(plain.base_logits(simulated) - other.base_logits(simulated))
    assert difference.max() <= AGREE
    assert np.ptp(plain.base_logits(simulated)) > 1.0
    labels = np.abs(plain.label_logits(simulated[:8]) - other.label_logits(simulated[:8]))
    assert labels.max() <= AGREE


@needs_openvino
@pytest.mark.real
@pytest.mark.skipif(not PTB_XL.is_dir(), reason="no PTB-XL files beside the project")
def test_openvino_agrees_with_torch_on_real_ecgs() -> None:
    from ecgdash.io import read_ecg

    real = [read_ecg(path) for path in sorted((PTB_XL / "records500").rglob("*.hea"))[:24]]
    assert real
    for family in read_manifest():
        plain = Engine.load(family, "cpu", backend="torch")
        other = Engine.load(family, "cpu", backend="openvino")
        difference = np.abs(plain.base_logits(real) - other.base_logits(real))
        assert difference.max() <= AGREE, family


@needs_openvino
def test_openvino_reports_to_nobody(tmp_path: Path, models_dir: Path) -> None:
    """A package of the telemetry's name lies on the path; it must never be imported."""
    package = tmp_path / "openvino_telemetry"
    package.mkdir()
    trace = tmp_path / "imported"
    (package / "__init__.py").write_text(f"open({str(trace)!r}, 'w').close()\n")
    (package / "backend.py").write_text("backend_ga4 = None\n")
    code = (
        "import sys; from pathlib import Path; from inference_family import ecg, FAMILY\n"
        "from ecgdash.inference import Engine\n"
        "engine = Engine.load(FAMILY, 'cpu', Path(sys.argv[1]), backend='openvino')\n"
        "engine.base_logits([ecg(1)])\n"
        "assert sys.modules['openvino_telemetry'] is None\n"
        "from openvino.tools.ovc import telemetry, telemetry_stub\n"
        "assert type(telemetry) is telemetry_stub.Telemetry\n"
        "print('silent')"
    )
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", code, str(models_dir)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert done.stdout.strip() == "silent", done.stderr
    assert not trace.exists()


@needs_openvino
@pytest.mark.parametrize(
    ("ratio", "name"), [(AT_LEAST_FASTER, "openvino"), (AT_LEAST_FASTER - 0.01, "torch")]
)
def test_auto_takes_openvino_from_the_factor_on(
    family_net: FamilyNet, monkeypatch: pytest.MonkeyPatch, ratio: float, name: str
) -> None:
    monkeypatch.setattr(backend_choice, "_RATIOS", {("w", 24, 1, "float32"): ratio})
    chosen = choose_backend(family_net, CPU, 24, BackendWish("auto"), "w")
    assert (chosen.backend.name, chosen.ratio) == (name, ratio)


@needs_openvino
def test_auto_measures_once_a_process(family_net: FamilyNet) -> None:
    first = choose_backend(family_net, CPU, 24, BackendWish("auto"), "measured-once")
    again = choose_backend(family_net, CPU, 24, BackendWish("auto"), "measured-once")
    assert first.ratio is not None
    assert first.ratio > 0
    assert again.ratio == first.ratio
    assert (first.ratio >= AT_LEAST_FASTER) == (first.backend.name == "openvino")


@needs_openvino
def test_without_bfloat16_openvino_is_in_float32_and_measures_nothing_lower(
    family_net: FamilyNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenVINO itself would fall back in silence, and a record would say that bfloat16 passed."""
    there = f"{backend_openvino.__name__}.openvino_has_bfloat16"
    monkeypatch.setattr(there, lambda: False)
    with pytest.raises(InvalidValue, match="no bfloat16 for openvino"):
        OpenVinoBackend(family_net, 3, 1, "bfloat16")
    assert [name for name, _ in lower_backends(family_net, CPU, 3, 1)] == ["torch"]
    version = backend_openvino.openvino_version()
    passed = PrecisionResult("openvino", "bfloat16", version, 50, 0.01, 0.3, 1, 0)
    wish = BackendWish("openvino", 1, (passed,))
    assert choose_backend(family_net, CPU, 3, wish, "w").backend.precision == "float32"
    monkeypatch.setattr(there, lambda: True)
    assert choose_backend(family_net, CPU, 3, wish, "w").backend.precision == "bfloat16"


@needs_openvino
def test_what_the_processor_has_is_read_from_openvino() -> None:
    flags = Path("/proc/cpuinfo")
    if not flags.is_file():
        pytest.skip("only Linux lists a processor's instruction sets")
    listed = set(flags.read_text(encoding="utf-8").split())
    found = backend_openvino.openvino_has_bfloat16()
    if "avx512_bf16" in listed:
        assert found
    if not {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"} & listed:
        assert not found


def test_auto_is_torch_without_openvino_and_for_what_is_long_to_convert(
    family_net: FamilyNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend_choice, "_LARGEST_NET", 1000)
    assert choose_backend(family_net, CPU, 24, BackendWish("auto"), "w").backend.name == "torch"
    monkeypatch.setattr("ecgdash.inference.backend_openvino.find_spec", lambda name: None)
    openvino_is_there.cache_clear()
    try:
        monkeypatch.setattr(backend_choice, "_LARGEST_NET", 10**9)
        chosen = choose_backend(family_net, CPU, 24, BackendWish("auto"), "w")
        assert (chosen.backend.name, chosen.ratio) == ("torch", None)
        with pytest.raises(InvalidValue, match="not installed.*requirements-openvino"):
            OpenVinoBackend(family_net, 3)
    finally:
        monkeypatch.undo()
        openvino_is_there.cache_clear()


def test_the_default_is_torch_in_float32(models_dir: Path) -> None:
    engine = Engine.load(FAMILY, "cpu", models_dir)
    assert (engine.backend_name, engine.backend_ratio, engine.precision) == (
        "torch",
        None,
        "float32",
    )


def test_what_a_backend_cannot_do_is_refused(models_dir: Path, family_net: FamilyNet) -> None:
    with pytest.raises(InvalidValue, match="backend 'onnx' is not known"):
        Engine.load(FAMILY, "cpu", models_dir, backend="onnx")
    with pytest.raises(InvalidValue, match="precision 'tf32' is not there with torch on cpu"):
        TorchBackend(family_net, CPU, "tf32")
    with pytest.raises(InvalidValue, match="precision 'half' is not known"):
        Engine.load(FAMILY, "cpu", models_dir, precision="half")


class Doubling:
    """A device that answers late: the sum of each crop, doubled, when it is asked for it."""

    name, precision, version = "doubling", "float32", "1"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def buffer(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape, np.float32)

    def start(self, x: np.ndarray, head: str = "variants"):
        number = len(self.asked)
        self.asked.append(number)
        kept = x  # read only when asked, as a copy under way would be
        return lambda: 2.0 * kept.sum(axis=(1, 2))[:, np.newaxis].astype(np.float64)


def fill(part: Sequence[int], out: np.ndarray) -> None:
    for row, value in zip(out, part, strict=True):
        row[...] = value


@pytest.mark.parametrize("ahead", [0, 1, 3])
@pytest.mark.parametrize("n", [0, 1, 4, 5, 23])
def test_no_buffer_is_written_before_its_result_is_fetched(ahead: int, n: int) -> None:
    batches = Batches(Doubling(), (4, 3, 1, 2), ahead=ahead)
    parts = list(batches.run(iter(range(n)), fill))
    assert [len(part) for part in parts] == [4] * (n // 4) + ([n % 4] if n % 4 else [])
    found = np.concatenate([np.empty((0, 1, 3)), *parts])
    expected = 4.0 * np.arange(n)[:, np.newaxis, np.newaxis] * np.ones((1, 1, 3))
    np.testing.assert_array_equal(found, expected)


def test_items_are_taken_in_the_callers_thread_and_errors_are_raised_there() -> None:
    takers = set()

    def items() -> Iterator[int]:
        for value in range(12):
            takers.add(threading.get_ident())
            yield value

    def failing(part: Sequence[int], out: np.ndarray) -> None:
        if 8 in part:
            raise InputDoesNotFitModel("too short")
        fill(part, out)

    batches = Batches(Doubling(), (4, 3, 1, 2), ahead=2)
    with pytest.raises(InputDoesNotFitModel, match="too short"):
        list(batches.run(items(), failing))
    assert takers == {threading.get_ident()}
    assert not [one for one in threading.enumerate() if one.name.startswith("ecgdash-crops")]


def test_passes_that_round_otherwise_are_never_launched_at_once(family_net: FamilyNet) -> None:
    """The flag is the process's, so that one session could change it in another's pass."""
    rounding, exact = (
        TorchBackend(family_net, torch.device("cuda"), name) for name in ("tf32", "float32")
    )
    before = torch.backends.cudnn.allow_tf32
    entered, seen = threading.Event(), []

    def second() -> None:
        entered.set()
        with exact._rounding():
            seen.append(torch.backends.cudnn.allow_tf32)

    other = threading.Thread(target=second)
    with rounding._rounding():
        other.start()
        entered.wait()
        other.join(0.2)
        seen.append(torch.backends.cudnn.allow_tf32)
    other.join()
    assert seen == [True, False]  # the second waited for the first
    assert torch.backends.cudnn.allow_tf32 == before


@needs_cuda
@pytest.mark.parametrize("family", list(read_manifest()))
def test_a_gpu_in_float32_agrees_with_the_cpu(family: str) -> None:
    on_gpu, on_cpu = (Engine.load(family, device) for device in ("cuda", "cpu"))
    simulated = list(simulate_patients(24, 996).records())[:80]
    known = on_cpu.base_logits(simulated)
    np.testing.assert_allclose(on_gpu.base_logits(simulated), known, rtol=0, atol=AGREE)
    assert np.ptp(known) > 1.0
    labels = on_cpu.label_logits(simulated[:8])  # down to -14
    np.testing.assert_allclose(on_gpu.label_logits(simulated[:8]), labels, rtol=2e-6, atol=AGREE)


@needs_cuda
@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_a_gpu_below_float32_is_near_and_not_the_same(
    family_net: FamilyNet, precision: str
) -> None:
    """It errs, so it is in use; the flags that allow it are put back."""
    device = torch.device("cuda")
    net = family_net.to(device)
    before = torch.backends.cudnn.allow_tf32
    x = np.random.default_rng(1).normal(0, 0.3, (48, *net.input_shape)).astype(np.float32)
    exact, low = (TorchBackend(net, device, name).run(x) for name in ("float32", precision))
    assert 0 < np.abs(low - exact).max() < 0.2
    assert torch.backends.cudnn.allow_tf32 == before
    family_net.to("cpu")
