"""A TorchScript file in a process of its own, with time limits; arrays go through pipes.

TorchScript is code. The child (`external_child`) has closed what a network does not need before
it reads the file; here its answers are read as numbers and short texts and never unpickled, and a
child that is late is killed. What this guards against, and what not: docs/external-models.md.
"""

import contextlib
import json
import math
import os
import select
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecgdash.errors import InputDoesNotFitModel, printable

__all__ = ["CALL_LIMIT_S", "LOAD_LIMIT_S", "IsolatedNet"]

LOAD_LIMIT_S: Final = 180.0
"""For starting the child, importing torch and reading the file; our choice."""
CALL_LIMIT_S: Final = 120.0
"""For one answer; our choice, far above what a network takes for an ECG on a busy machine."""
_MOST_HEADER: Final = 1 << 16
_MOST_ANSWER: Final = 1 << 28
_KEPT_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "SYSTEMROOT")


class IsolatedNet:
    """A TorchScript network that answers from a child process.

    Parameters
    ----------
    raw : bytes
        Of the file, read and verified by the caller.
    number_type : {"float32", "float64"}
    name : str
        Of the file or family, for errors.
    load_limit_s, call_limit_s : float
        Seconds.

    Attributes
    ----------
    guards : tuple of str
        What the operating system granted, in words.

    Raises
    ------
    InputDoesNotFitModel
        If the file cannot be loaded, or this system cannot isolate it.
    """

    def __init__(
        self,
        raw: bytes,
        number_type: str,
        name: str,
        *,
        load_limit_s: float = LOAD_LIMIT_S,
        call_limit_s: float = CALL_LIMIT_S,
    ) -> None:
        if os.name != "posix":
            raise InputDoesNotFitModel(
                "TorchScript is run in an isolated process, which this system does not offer",
                where=name,
                accepted="Accepted: Linux and macOS",
            )
        self._name, self._call_limit_s = name, call_limit_s
        self._lock = threading.Lock()
        self._child = _started()
        # also when nobody closes: a scorer must not outlive the engine that holds it
        self._finish = weakref.finalize(self, _ended, self._child)
        header = self._exchange({"number_type": number_type}, raw, load_limit_s, "loading it")[0]
        self.guards = tuple(str(guard) for guard in header.get("guards", ()))

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    @property
    def ended(self) -> bool:
        """Whether the child was ended: it answers no more."""
        return not self._finish.alive

    def close(self) -> None:
        """End the child."""
        self._finish()

    def __call__(self, *inputs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the network's output of one batch.

        Raises
        ------
        InputDoesNotFitModel
            If it fails, is late, or answers with something else than numbers.
        """
        parts = [np.ascontiguousarray(one, dtype="<f8") for one in inputs]
        shapes = [list(part.shape) for part in parts]
        with self._lock:
            header, body = self._exchange(
                {"shapes": shapes},
                b"".join(part.tobytes() for part in parts),
                self._call_limit_s,
                f"running it on input of shape {' and '.join(map(str, shapes))}",
            )
        return self._numbers(header, body)

    def _numbers(self, header: Mapping[str, Any], body: bytes) -> NDArray[np.float64]:
        shape = header.get("shape")
        sound = (
            isinstance(shape, list)
            and all(isinstance(n, int) and n >= 0 for n in shape)
            and 8 * math.prod(shape) == len(body)
        )
        if not sound:
            raise self._refusal("its process answered with something else than numbers")
        return np.frombuffer(body, dtype="<f8").reshape(tuple(shape or ())).astype(np.float64)

    def _exchange(
        self, header: Mapping[str, Any], body: bytes, limit_s: float, doing: str
    ) -> tuple[Mapping[str, Any], bytes]:
        deadline = time.monotonic() + limit_s
        text = json.dumps(header).encode()
        try:
            self._write(struct.pack("<QQ", len(text), len(body)), deadline)
            self._write(text, deadline)
            self._write(body, deadline)
            sizes = struct.unpack("<QQ", self._read(16, deadline))
            if sizes[0] > _MOST_HEADER or sizes[1] > _MOST_ANSWER:
                raise EOFError
            answer = json.loads(self._read(sizes[0], deadline))
            content = self._read(sizes[1], deadline)
        except TimeoutError as error:
            self.close()
            raise self._refusal(
                f"{doing} took longer than {limit_s:g} s and was stopped"
            ) from error
        except (EOFError, OSError, ValueError) as error:
            self.close()
            raise self._refusal(f"its process ended while {doing}") from error
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            why = str(answer.get("why", "")) if isinstance(answer, dict) else ""
            raise self._refusal(f"{doing} failed ({printable(why)[:300]})")
        return answer, content

    def _refusal(self, what: str) -> InputDoesNotFitModel:
        return InputDoesNotFitModel(
            what,
            where=self._name,
            accepted="Accepted: a TorchScript file that takes the input its spec tells",
            todo="Compare the spec with the network's source",
        )

    def _write(self, data: bytes, deadline: float) -> None:
        if self._child.stdin is None:
            raise EOFError
        pipe, view = self._child.stdin.fileno(), memoryview(data)
        while view:
            _wait([], [pipe], deadline)
            view = view[os.write(pipe, view[: 1 << 16]) :]

    def _read(self, n: int, deadline: float) -> bytes:
        if self._child.stdout is None:
            raise EOFError
        pipe, parts, left = self._child.stdout.fileno(), [], n
        while left:
            _wait([pipe], [], deadline)
            part = os.read(pipe, min(left, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            left -= len(part)
        return b"".join(parts)


def _wait(readable: Sequence[int], writable: Sequence[int], deadline: float) -> None:
    left = deadline - time.monotonic()
    if left <= 0 or not any(select.select(readable, writable, [], left)):
        raise TimeoutError


def _started() -> "subprocess.Popen[bytes]":
    script = Path(__file__).with_name("external_child.py")
    # the store's address and the keys in the environment are no business of a scorer
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    child = subprocess.Popen(
        [sys.executable, "-I", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**kept, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        cwd="/",
        bufsize=0,
        close_fds=True,
        start_new_session=True,
    )
    if child.stdin is not None:
        os.set_blocking(child.stdin.fileno(), False)
    return child


def _ended(child: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(OSError):
        child.kill()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(10)
