"""A worker process of an import: `python -m ecgdash.services.import_worker DESCRIPTOR`.

Started by `import_workers`; it ends when the other end of its line is closed, also
because the importing process was killed.
"""

import signal
import sys
from multiprocessing.connection import Connection

from ecgdash.services.import_workers import READY, ReadPlan, examine

__all__ = ["main"]


def main(descriptor: int) -> None:
    """Answer tasks until there are no more."""
    # Ctrl-C reaches every process of the terminal; the importing one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import ecgdash.io
    import ecgdash.services.judging  # noqa: F401 - the slow imports come before the first task

    line: Connection[object, object] = Connection(descriptor)
    plan = line.recv()
    assert isinstance(plan, ReadPlan)
    try:
        line.send(READY)
        while True:
            line.send(examine(line.recv(), plan))  # type: ignore[arg-type]
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main(int(sys.argv[1]))
