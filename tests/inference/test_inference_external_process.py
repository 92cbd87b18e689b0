"""A TorchScript file runs apart: it neither writes nor reads files, nor talks, nor stays."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from external_nets import Endless, Reader, Scorer, Talker, Writer, torchscript

from ecgdash.errors import InputDoesNotFitModel
from ecgdash.inference import external_child
from ecgdash.inference.external_process import IsolatedNet

ECG = np.random.default_rng(5).standard_normal((2, 12, 2500))


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_as_the_network_does_in_this_process():
    net = Scorer()
    isolated = IsolatedNet(torchscript(net), "float32", "net.pt")
    with torch.no_grad():
        expected = net(torch.tensor(ECG, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(isolated(ECG), expected, atol=1e-6)
    isolated.close()
    assert not alive(isolated.pid)


def test_a_wrong_input_is_told_in_a_sentence_and_the_process_lives_on():
    isolated = IsolatedNet(torchscript(Scorer()), "float32", "net.pt")
    with pytest.raises(InputDoesNotFitModel, match=r"shape \[1, 3, 9\] failed \(.*channels"):
        isolated(np.zeros((1, 3, 9)))
    assert isolated(ECG).shape == (2, 1)
    isolated.close()


def test_what_is_no_torchscript_is_refused():
    with pytest.raises(InputDoesNotFitModel, match=r"net.pt: loading it failed \(.+\)"):
        IsolatedNet(b"no network at all", "float32", "net.pt")


def test_a_network_that_never_answers_is_stopped_and_ended():
    isolated = IsolatedNet(torchscript(Endless()), "float32", "net.pt", call_limit_s=1.5)
    with pytest.raises(InputDoesNotFitModel, match=r"took longer than 1\.5 s and was stopped"):
        isolated(ECG)
    assert not alive(isolated.pid)


def test_it_cannot_write_a_file_even_from_cpp(tmp_path):
    target = tmp_path / "stolen.bin"
    isolated = IsolatedNet(torchscript(Writer(str(target))), "float32", "net.pt")
    isolated(ECG)  # C++ says nothing about a stream that did not open
    assert not target.exists()
    isolated.close()
    Writer(str(target))(torch.zeros(1, 12, 9))  # the control: outside, the same network writes
    assert target.exists()


def test_it_cannot_read_a_file_even_from_cpp(tmp_path):
    secret = tmp_path / "secret.bin"
    np.full(4, 7.0, dtype=np.float32).tofile(secret)
    isolated = IsolatedNet(torchscript(Reader(str(secret))), "float32", "net.pt")
    with pytest.raises(InputDoesNotFitModel, match="failed"):
        isolated(np.zeros((1, 12, 9)))
    isolated.close()
    assert float(Reader(str(secret))(torch.zeros(1, 12, 9))) == 7.0  # the control


def test_what_it_prints_does_not_disturb_its_answers(capfd):
    isolated = IsolatedNet(torchscript(Talker()), "float32", "net.pt")
    quiet = IsolatedNet(torchscript(Scorer()), "float32", "net.pt")
    np.testing.assert_array_equal(isolated(ECG), quiet(ECG))
    for one in (isolated, quiet):
        one.close()
    assert capfd.readouterr().out == ""


def test_it_sees_no_setting_of_the_store(monkeypatch):
    monkeypatch.setenv("ECGDASH_DATABASE_URL", "postgresql://user:secret@host/db")
    isolated = IsolatedNet(torchscript(Scorer()), "float32", "net.pt")
    environment = Path(f"/proc/{isolated.pid}/environ").read_bytes()
    isolated.close()
    assert b"OMP_NUM_THREADS=1" in environment
    assert b"secret" not in environment


CLOSED = """
import ctypes, runpy, socket, subprocess, sys
child = runpy.run_path(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
child["_close_doors"](0)
said = [f"libc.socket {libc.socket(2, 1, 0)}"]
for name, act in {
    "socket": lambda: socket.socket(),
    "connect": lambda: socket.create_connection(("127.0.0.1", 9)),
    "names": lambda: socket.getaddrinfo("localhost", 80),
    "read": lambda: open("/etc/hostname"),
    "write": lambda: open("/tmp/never", "w"),
    "run": lambda: subprocess.run(["true"]),
}.items():
    try:
        act()
        said.append(f"{name} done")
    except OSError as error:
        said.append(f"{name} refused")
print("; ".join(said))
"""


def test_once_closed_no_socket_no_file_and_no_program_can_be_opened():
    done = subprocess.run(
        [sys.executable, "-c", CLOSED, external_child.__file__],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    refused = "; ".join(
        f"{name} refused" for name in ("socket", "connect", "names", "read", "write", "run")
    )
    assert done.stdout.strip() == f"libc.socket -1; {refused}", done.stderr
