"""What needs a process of its own: memory, start times, and scoring beside a busy process.

    python -m benchmarks.engine_processes score N            # peak memory of scoring N ECGs
    python -m benchmarks.engine_processes load MODELS_DIR    # memory and time of loading depth 152
    python -m benchmarks.engine_processes page URL           # draws the worklist twice
    python -m benchmarks.engine_processes busy MODELS_DIR BACKEND N  # beside another, N threads

Each prints JSON on its last line. The functions above the children start them and read it.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.engine_figures import BUSY, Measured
from benchmarks.engine_machine import n_cores, peak_bytes
from ecgdash.inference.backend_openvino import openvino_is_there

ROOT = Path(__file__).resolve().parents[1]
FEW, MANY = 1_000, 10_000
N_PATIENTS = 1_000
MIB = 2**20
PATIENCE_MS = 6_000


def memory(models_dir: Path, say: Callable[[str], None]) -> dict[str, Measured]:
    """Measure peaks in processes of their own."""
    scored = {}
    for n in (FEW, MANY):
        say(f"memory of scoring {n:,} ECGs")
        scored[n] = _child("score", str(n))
    few, many = (scored[n]["peak_bytes"] / MIB for n in (FEW, MANY))
    loads = [_child("load", str(models_dir)) for _ in range(2)]
    load = min(loads, key=lambda found: float(found["load_s"]))
    beyond = (load["peak_bytes"] - load["before_bytes"]) / MIB
    return {
        "memory.flat": Measured(
            many / few, 1.0,
            f"{many:.0f} and {few:.0f} MiB, libraries included; {scored[MANY]['backend']}",
        ),
        "memory.152": Measured(
            beyond, load["file_bytes"] / MIB,
            f"libraries and package {load['before_bytes'] / MIB:.0f} MiB",
        ),
        "load.152": Measured(load["load_s"], load["hash_s"], "wall, file in the page cache"),
    }  # fmt: skip


def starts(folder: Path, say: Callable[[str], None]) -> dict[str, Measured]:
    """Time starts until they are done, each the least of several."""
    say("start times")
    python = [sys.executable, "-c"]
    empty = _wall_s([*python, "pass"])
    hello = folder / "hello.py"
    hello.write_text("import streamlit\n\nstreamlit.write('hello')\n", encoding="utf-8")
    url = f"sqlite:///{folder / 'worklist.db'}"
    pages = [_child("page", url) for _ in range(2)]
    return {
        "start.import": Measured(_wall_s([*python, "import ecgdash"]), empty),
        "start.cli": Measured(_wall_s([sys.executable, "-m", "ecgdash", "--version"]), empty),
        "start.app": Measured(_healthy_s(ROOT / "app.py", url), _healthy_s(hello, url)),
        "start.page": Measured(
            min(page["first_s"] for page in pages),
            min(page["again_s"] for page in pages),
            "Streamlit's own test client, no browser",
        ),
    }


def busy(models_dir: Path, say: Callable[[str], None]) -> dict[str, Measured]:
    """Score quietly and beside a process that never waits, with one thread and one a core."""
    cores = n_cores()
    found = {}
    for key in BUSY:
        _, backend, how_many = key.split(".")
        threads = cores if how_many == "all" else 1
        if backend == "openvino" and not openvino_is_there():
            found[key] = Measured(None, note="OpenVINO is not installed")
            continue
        say(f"beside a busy process: {backend}, {threads} thread(s)")
        told = _child("busy", str(models_dir), backend, str(threads))
        walls = f"{told['beside_ms']:.0f} and {told['quiet_ms']:.0f} ms"
        walls += f", quiet on {told['cores_had']:.2f} cores"
        ratio = told["beside_ms"] / told["quiet_ms"]
        found[key] = Measured(ratio, 1.0, f"{threads} of {cores} threads; {walls}")
    return found


def _child(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.engine_processes", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"benchmarks: {' '.join(arguments[:1])} failed")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _wall_s(command: Sequence[str], times: int = 5) -> float:
    least = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        least = min(least, time.perf_counter() - started)
    return least


def _healthy_s(script: Path, url: str, times: int = 3) -> float:
    return min(_until_healthy(script, url) for _ in range(times))


def _until_healthy(script: Path, url: str, patience_s: float = 60.0) -> float:
    from urllib.error import URLError
    from urllib.request import urlopen

    port = _free_port()
    address = f"http://127.0.0.1:{port}/_stcore/health"
    started = time.perf_counter()
    with _running(_streamlit(script, port), {"ECGDASH_DATABASE_URL": url}) as server:
        while time.perf_counter() - started < patience_s and server.poll() is None:
            try:
                with urlopen(address, timeout=5) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - started
            except (URLError, OSError):
                time.sleep(0.01)
    raise SystemExit(
        f"benchmarks: {script.name} did not say within {patience_s:.0f} s that it runs"
    )


def _streamlit(script: Path, port: int) -> list[str]:
    return [
        sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port),
        "--server.address", "127.0.0.1", "--server.headless", "true",
        "--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip


def _free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def _running(
    command: Sequence[str], environment: dict[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process beside this one, and end it afterwards, whatever happens."""
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def child_score(n: int) -> dict[str, Any]:
    """Score n ECGs that are made on the fly, by the backend that the app would take."""
    from benchmarks.engine_nets import DEMO, repeated, simulated_ecgs
    from ecgdash.inference import Engine

    engine = Engine.load(DEMO, device="cpu", backend="auto")
    logits = engine.base_logits(repeated(simulated_ecgs(16), n))
    assert len(logits) == n
    return {"peak_bytes": peak_bytes(), "backend": engine.backend_name}


def child_load(models_dir: Path) -> dict[str, float]:
    """Load depth 152, libraries loaded before."""
    from benchmarks.engine_nets import DEEP
    from ecgdash.inference import Engine
    from ecgdash.inference.manifest import find_family

    weights = find_family(DEEP, models_dir).weights_path
    started = time.perf_counter()
    with weights.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    hash_s = time.perf_counter() - started
    before = peak_bytes()
    started = time.perf_counter()
    Engine.load(DEEP, device="cpu", models_dir=models_dir)
    return {
        "load_s": time.perf_counter() - started,
        "hash_s": hash_s,
        "before_bytes": before,
        "peak_bytes": peak_bytes(),
        "file_bytes": weights.stat().st_size,
    }


def child_page(url: str) -> dict[str, float]:
    """Draw the worklist's first page from nothing, and again."""
    started = time.perf_counter()
    os.environ["ECGDASH_DATABASE_URL"] = url
    from benchmarks.worklist import fill
    from ecgdash.store import open_store

    loaded = time.perf_counter()
    store = open_store(url)
    if not store.patient_keys():
        fill(store, N_PATIENTS)
    store.close()
    filled = time.perf_counter()
    from streamlit.testing.v1 import AppTest

    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120).run()
    drawn = time.perf_counter()
    page.run()
    again = time.perf_counter()
    if page.exception:
        raise SystemExit("benchmarks: the worklist shows an error")
    return {"first_s": drawn - started - (filled - loaded), "again_s": again - drawn}


def child_busy(models_dir: Path, backend: str, threads: int) -> dict[str, float]:
    """Score one ECG at depth 152, quietly and beside a process that never waits."""
    from benchmarks.engine_nets import DEEP, simulated_ecgs
    from ecgdash.inference import Engine

    engine = Engine.load(DEEP, "cpu", models_dir, threads=threads, backend=backend)
    records = simulated_ecgs(1)

    def walls(times: int) -> float:
        """Return the median of so many walls; of two or more once it takes too long."""
        found: list[float] = []
        while len(found) < times and (len(found) < 2 or sum(found) < PATIENCE_MS):
            started = time.perf_counter()
            engine.base_logits(records)
            found.append(1000 * (time.perf_counter() - started))
        return median(found)

    engine.base_logits(records)
    cpu, started = time.process_time(), time.perf_counter()
    quiet = walls(5)
    cpu_share = (time.process_time() - cpu) / (time.perf_counter() - started)
    with _running([sys.executable, "-c", "while True: pass"]):
        time.sleep(0.5)
        beside = walls(5)
    return {"quiet_ms": quiet, "beside_ms": beside, "cores_had": cpu_share}


def main() -> None:
    what, *arguments = sys.argv[1:]
    if what == "score":
        found = child_score(int(arguments[0]))
    elif what == "load":
        found = child_load(Path(arguments[0]))
    elif what == "page":
        found = child_page(arguments[0])
    else:
        found = child_busy(Path(arguments[0]), arguments[1], int(arguments[2]))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
