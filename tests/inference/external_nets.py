"""Networks of the signatures that the specs tell, with random weights, and ones that misbehave."""

import io
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

SPECS = Path(__file__).parents[2] / "specs"


class Scorer(nn.Module):
    """Reads (n, 12, 2500), gives (n, n_outputs); `gain` brings the input near one."""

    def __init__(self, n_outputs: int = 1, gain: float = 0.005, seed: int = 3):
        super().__init__()
        torch.manual_seed(seed)
        self.gain = gain
        self.net = nn.Sequential(
            nn.Conv1d(12, 8, 15, stride=5),
            nn.BatchNorm1d(8),
            nn.ReLU(),
            nn.AdaptiveAvgPool1d(1),
            nn.Flatten(),
            nn.Linear(8, n_outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x * self.gain)  # type: ignore[no-any-return]


class WithHistory(nn.Module):
    """Reads an ECG and 15 numbers, gives one number without a batch axis, as PULSE-HF does."""

    def __init__(self) -> None:
        super().__init__()
        self.ecg = Scorer(gain=1.0)
        torch.manual_seed(4)
        self.prior = nn.Linear(15, 1)

    def forward(self, x: Tensor, history: Tensor) -> Tensor:
        return (self.ecg(x) + self.prior(history / 50.0)).squeeze()  # type: ignore[no-any-return]


class BatchScaled(nn.Module):
    """Divides by the mean size of the whole batch."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Scorer(gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x / x.abs().mean())  # type: ignore[no-any-return]


class Forgetless(nn.Module):
    """Adds up how often it was asked."""

    asked: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net = Scorer()
        self.register_buffer("asked", torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        self.asked += 1.0
        return self.net(x) + self.asked  # type: ignore[no-any-return]


class Broken(nn.Module):
    """Gives NaN."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=[1, 2]).unsqueeze(1) * float("nan")


class Deaf(nn.Module):
    """Gives one number whatever the ECG."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.full((x.shape[0], 1), 0.25)


class Endless(nn.Module):
    """Never answers."""

    def forward(self, x: Tensor) -> Tensor:
        while bool(x.isfinite().all()):
            x = x * 0.5
        return x


class Writer(nn.Module):
    """Writes its input to a file, from C++: no Python is asked."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        torch.save(x, self.path)
        return x.mean(dim=[1, 2]).unsqueeze(1)


class Reader(nn.Module):
    """Reads the first bytes of a file, from C++."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, x: Tensor) -> Tensor:
        found = torch.from_file(self.path, shared=False, size=4, dtype=torch.float32)
        return x.mean(dim=[1, 2]).unsqueeze(1) + found[0]


class Talker(nn.Module):
    """Prints what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.net = Scorer()

    def forward(self, x: Tensor) -> Tensor:
        print("seen", x.shape)  # noqa: T201 - what it is made for
        return self.net(x)  # type: ignore[no-any-return]


def torchscript(net: nn.Module) -> bytes:
    """Return the bytes of a network's TorchScript file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # TorchScript is what such files are; that torch would rather have another format is known
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(net.eval()), buffer)
    return buffer.getvalue()


def spec_text(shipped: str = "heartwise-lvef40", /, **changed: str) -> str:
    """Return a shipped spec with some of its lines changed; an empty value leaves a line out."""
    lines = (SPECS / f"{shipped}.toml").read_text().splitlines()
    for key, value in changed.items():
        at = [i for i, line in enumerate(lines) if line.startswith(f"{key} = ")]
        if value == "":
            del lines[at[0]]
        elif at:
            lines[at[0]] = f"{key} = {value}"
        else:
            lines.insert(0, f"{key} = {value}")
    return "\n".join(lines)
