"""Crops in batches of one fixed size, prepared ahead of the device where that helps.

Every pass through a network holds the same number of crops, padded with zeros where ECGs run out
(DESIGN decision 3): the shape of a computation never depends on how many ECGs were asked for.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ecgdash.inference.backends import Backend, Finish, Head

__all__ = ["Batches", "chunks"]

T = TypeVar("T")
Crops = NDArray[np.float32]
Fill = Callable[[Sequence[T], Crops], None]

_N_BUFFERS = 3
"""One is filled, one waits or is copied, one belongs to the pass whose result is fetched."""


def chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    """Yield items by `size`, the last ones as many as there are."""
    while chunk := list(islice(items, size)):
        yield chunk


class _Prepared(NamedTuple):
    n: int
    buffer: Crops
    filled: "list[Future[None]]"


class _Begun(NamedTuple):
    n: int
    finish: Finish

    def logits(self, n_crops: int) -> NDArray[np.float64]:
        rows = self.finish()
        by_ecg: NDArray[np.float64] = rows.reshape(-1, n_crops, rows.shape[-1])[: self.n]
        return by_ecg.transpose(0, 2, 1)  # (n, crops, out) -> (n, out, crops)


class Batches:
    """Runs a backend over batches of ECGs.

    Parameters
    ----------
    backend : Backend
    shape : tuple of int
        (ECGs a pass, crops an ECG, leads, samples).
    ahead : int
        Threads that prepare the next batch, part by part, while the device works on this one; 0:
        the caller's thread prepares and works in turn. Items are always taken from their iterator
        in the caller's thread (it may be a database's).
    """

    def __init__(self, backend: Backend, shape: tuple[int, int, int, int], *, ahead: int) -> None:
        self._backend = backend
        self._shape = shape
        self._ahead = ahead

    def run(
        self, items: Iterator[T], fill: Fill[T], head: Head = "variants"
    ) -> Iterator[NDArray[np.float64]]:
        """Yield logits batch by batch, in order: float64 (n, n_outputs, n_crops).

        Parameters
        ----------
        items : iterator
        fill : callable
            Writes the crops of n items into float32 (n, n_crops, n_leads, n_samples); what it
            raises is raised here.
        head : {"variants", "labels"}
        """
        parts = chunks(items, self._shape[0])
        if not self._ahead:
            yield from self._one_by_one(parts, fill, head)
            return
        with ThreadPoolExecutor(self._ahead, "ecgdash-crops") as pool:
            yield from self._ahead_of_device(pool, parts, fill, head)

    def _one_by_one(
        self, parts: Iterator[list[T]], fill: Fill[T], head: Head
    ) -> Iterator[NDArray[np.float64]]:
        buffer: Crops | None = None
        for part in parts:
            buffer = self._backend.buffer(self._shape) if buffer is None else buffer
            _fill(part, buffer, fill)
            yield self._begin(len(part), buffer, head).logits(self._shape[1])

    def _ahead_of_device(
        self, pool: ThreadPoolExecutor, parts: Iterator[list[T]], fill: Fill[T], head: Head
    ) -> Iterator[NDArray[np.float64]]:
        buffers = [self._backend.buffer(self._shape) for _ in range(_N_BUFFERS)]
        numbered = enumerate(parts)

        def prepare() -> _Prepared | None:
            number, part = next(numbered, (0, []))
            if not part:
                return None
            buffer = buffers[number % _N_BUFFERS]
            size = -(-len(part) // self._ahead)
            filled = [
                pool.submit(fill, part[i : i + size], buffer[i : i + size][: len(part) - i])
                for i in range(0, len(part), size)
            ]
            return _Prepared(len(part), buffer, filled)

        begun: _Begun | None = None
        waiting = prepare()
        while waiting is not None:
            ready, waiting = waiting, prepare()
            for slice_ in ready.filled:
                slice_.result()
            ready.buffer[ready.n :] = 0.0
            earlier, begun = begun, self._begin(ready.n, ready.buffer, head)
            if earlier is not None:
                yield earlier.logits(self._shape[1])
        if begun is not None:
            yield begun.logits(self._shape[1])

    def _begin(self, n: int, buffer: Crops, head: Head) -> _Begun:
        crops = buffer.reshape(-1, *self._shape[2:])  # (ECGs, crops, leads, t) -> (crops, leads, t)
        return _Begun(n, self._backend.start(crops, head))


def _fill(part: Sequence[T], buffer: Crops, fill: Fill[T]) -> None:
    fill(part, buffer[: len(part)])
    buffer[len(part) :] = 0.0
