"""Folders that live as long as whoever holds them, and go silently when a session just ends."""

import shutil
import tempfile
import weakref
from pathlib import Path

__all__ = ["TemporaryFolder"]


class TemporaryFolder:
    """A folder of one's own; it is removed by `remove`, or with the last reference to it.

    The standard library's warns when it is not closed by hand; nobody closes a browser's
    session by hand.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="ecgdash-"))
        self._finalizer = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def remove(self) -> None:
        """Remove it with all that lies in it; a second time does nothing."""
        self._finalizer()
