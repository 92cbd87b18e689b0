"""A process that let go of OpenVINO engines outlives signals, and keeps its own signal stack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecgdash.inference.backend_openvino import openvino_is_there

HERE = Path(__file__).resolve().parent
HEAD = """
import ctypes, gc, os, signal, subprocess, sys, threading
from pathlib import Path

from inference_family import FAMILY, ecg

from ecgdash.inference import Engine

RECORD = ecg(1)


class Stack(ctypes.Structure):
    _fields_ = [("at", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def signal_stack():
    found = Stack()
    assert ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found)) == 0
    return found.at, found.flags, found.size


def engine():
    made = Engine.load(FAMILY, "cpu", Path(sys.argv[1]), backend="openvino")
    made.base_logits([RECORD])
    return made


heard = []
for number in (signal.SIGINT, signal.SIGCHLD):
    signal.signal(number, lambda number, frame: heard.append(number))
before = signal_stack()
"""
TAIL = """
gc.collect()
os.kill(os.getpid(), signal.SIGINT)
subprocess.run([sys.executable, "-c", ""], check=True)
assert heard == [signal.SIGINT, signal.SIGCHLD], heard
assert signal_stack() == before, (signal_stack(), before)
print("alive")
"""
ENDS = {
    "the earlier first": "first, second = engine(), engine()\ndel first\ngc.collect()\ndel second",
    "in another thread": (
        "kept = [engine()]\n"
        "one = threading.Thread(target=lambda: (kept.clear(), gc.collect()))\n"
        "one.start()\none.join()"
    ),
    "none": "kept = engine()",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signal stacks as Linux has them")
@pytest.mark.skipif(
    not openvino_is_there(), reason="openvino is not installed (requirements-openvino.txt)"
)
@pytest.mark.parametrize("faults", ["-Xfaulthandler", "-Xutf8"], ids=["own", "no-own"])
@pytest.mark.parametrize("end", list(ENDS))
def test_a_signal_after_an_engine_is_gone_reaches_python(
    models_dir: Path, end: str, faults: str
) -> None:
    """With and without a signal stack of Python's own."""
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    done = subprocess.run(
        [sys.executable, faults, "-c", HEAD + ENDS[end] + TAIL, str(models_dir)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "alive"), done.stderr
