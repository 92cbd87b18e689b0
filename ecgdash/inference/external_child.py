"""Run in a process of its own: loads a TorchScript file and answers with its outputs.

Started by `external_process` as a plain script, with nothing of ECGDash imported. The order
matters: torch is imported and warmed up first, then everything is closed that a network does
not need, and only then the file's bytes, which came through the pipe, are read as TorchScript.

What closes: a network namespace of its own where the kernel allows it; no new file descriptor
(so no socket and no file, from Python or from C++); no written byte; no child process; limited
memory; and Python's audit events of sockets, programs and opened files refused.
"""

import ctypes
import io
import json
import os
import resource
import struct
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO, Final, NoReturn

_NEW_USER, _NEW_NET, _NO_NEW_PRIVILEGES = 0x10000000, 0x40000000, 38
_SPARE_BYTES: Final = 4 << 30
_REFUSED: Final = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system")
_REFUSED_TOO: Final = ("open", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.kill")


def main() -> None:
    """Serve until the pipe closes."""
    inlet = os.fdopen(os.dup(0), "rb")
    outlet = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # what a file prints reaches neither the answers nor a log
        os.dup2(silence, standard)
    import torch

    torch.set_num_threads(1)
    _warm_up(torch)
    header, raw = _receive(inlet)
    guards = _close_doors(len(raw))
    try:
        net = torch.jit.load(io.BytesIO(raw), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - whatever the file does is told to the parent
        _fail(outlet, error)
    del raw
    _send(outlet, {"ok": True, "guards": guards}, b"")
    dtype = torch.float64 if header["number_type"] == "float64" else torch.float32
    while True:
        request, body = _receive(inlet)
        try:
            answer = _answer(torch, net, dtype, request["shapes"], body)
        except Exception as error:  # noqa: BLE001 - as above
            _send(outlet, {"ok": False, "why": _why(error)}, b"")
            continue
        _send(outlet, *answer)


def _answer(
    torch: Any, net: Any, dtype: Any, shapes: list[list[int]], body: bytes
) -> tuple[dict[str, Any], bytes]:
    inputs, at = [], 0
    for shape in shapes:
        n = 8
        for size in shape:
            n *= size
        part = torch.frombuffer(bytearray(body[at : at + n]), dtype=torch.float64)
        inputs.append(part.reshape(shape).to(dtype))
        at += n
    with torch.no_grad():
        out = net(*inputs)
    if not isinstance(out, torch.Tensor):
        raise TypeError(f"it gives a {type(out).__name__}, no tensor")
    numbers = out.detach().to("cpu", torch.float64).contiguous()
    raw = bytes(numbers.numpy().tobytes())
    return {"ok": True, "shape": list(numbers.shape)}, raw


def _warm_up(torch: Any) -> None:
    """Run a small script once: what torch imports late cannot be imported later."""
    net = torch.jit.script(torch.nn.Sequential(torch.nn.Conv1d(2, 2, 3), torch.nn.ReLU()))
    buffer = io.BytesIO()
    torch.jit.save(net, buffer)
    loaded = torch.jit.load(io.BytesIO(buffer.getvalue()), map_location="cpu").eval()
    with torch.no_grad():
        for _ in range(3):  # the profiling executor optimises on the second call
            loaded(torch.zeros(1, 2, 8)).numpy()
    try:
        loaded(torch.zeros(3))
    except Exception as error:  # noqa: BLE001 - the way of an error imports too
        _why(error)


def _close_doors(n_bytes: int) -> list[str]:
    """Give up what a network does not need; return what the kernel granted."""
    granted = []
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "unshare") and libc.unshare(_NEW_USER | _NEW_NET) == 0:
        granted.append("network namespace")
    if hasattr(libc, "prctl") and libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        granted.append("no new privileges")
    limits = {"core": 0, "fsize": 0, "nproc": 0, "nofile": 0}
    used = _virtual_bytes()
    if used is not None:
        limits["as"] = used + _SPARE_BYTES + 4 * n_bytes
    for name, value in limits.items():
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (value, value))
        except (AttributeError, ValueError, OSError):
            continue
        granted.append(f"limit of {name}")
    sys.addaudithook(_refuse)
    return [*granted, "audit hook"]


def _virtual_bytes() -> int | None:
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return None


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event.startswith(_REFUSED) or event in _REFUSED_TOO:
        raise PermissionError(f"a scorer must not do this: {event}")


def _receive(inlet: BinaryIO) -> tuple[Mapping[str, Any], bytes]:
    head = inlet.read(16)
    if len(head) < 16:
        os._exit(0)
    n_header, n_body = struct.unpack("<QQ", head)
    return json.loads(inlet.read(n_header)), inlet.read(n_body)


def _send(outlet: BinaryIO, header: Mapping[str, Any], body: bytes) -> None:
    text = json.dumps(header).encode()
    outlet.write(struct.pack("<QQ", len(text), len(body)) + text + body)
    outlet.flush()


def _why(error: Exception) -> str:
    """Return the last line that says something: TorchScript puts its reason there."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1] if lines else 'no reason given'}"[:300]


def _fail(outlet: BinaryIO, error: Exception) -> NoReturn:
    _send(outlet, {"ok": False, "why": _why(error)}, b"")
    os._exit(0)


if __name__ == "__main__":
    main()
