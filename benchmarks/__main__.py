"""How fast the engine is, in one table that anyone can make: every figure with its floor.

    python -m benchmarks [--json FILE] [--update-readme] [--beside TEXT]

Everything is measured in one run. The table goes to stdout as Markdown, progress to stderr.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Progress:
    """Says on stderr what is being measured, and since when."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def __call__(self, words: str) -> None:
        print(f"[{self.seconds:4.0f} s] {words}", file=sys.stderr, flush=True)

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return time.monotonic() - self.started


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures, unrounded")
    parser.add_argument(
        "--update-readme", action="store_true", help="replace the table in README.md"
    )
    parser.add_argument("--beside", default="", metavar="TEXT", help="what else runs meanwhile")
    wanted = parser.parse_args(arguments)
    # Before torch is loaded: its threads, and those of the child processes.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from benchmarks.engine_figures import caption, replace_between_markers, table, write_json
    from benchmarks.engine_machine import load_average, machine

    say = Progress()
    before = load_average()
    say(f"load average {before:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        found = _measure(Path(folder), say)
    loads = (before, load_average())
    say(f"load average {loads[1]:.2f}")
    named = machine()
    text = f"{caption(named, loads, say.seconds / 60, wanted.beside)}\n\n{table(found)}"
    print(text)
    if wanted.json is not None:
        write_json(wanted.json, found, named, loads)
    if wanted.update_readme:
        readme = ROOT / "README.md"
        old = readme.read_text(encoding="utf-8")
        readme.write_text(replace_between_markers(old, text), encoding="utf-8")


def _measure(folder: Path, say: Progress) -> dict:  # type: ignore[type-arg]
    from benchmarks import engine_history, engine_processes, engine_scoring

    models_dir = folder / "models"
    models_dir.mkdir()
    demo, deep = engine_scoring.load_subjects(models_dir, say)
    found = engine_processes.busy(models_dir, say)
    peak = engine_scoring.Peak()
    for subject in (demo, deep):
        found |= engine_scoring.operations(subject)
        found |= engine_scoring.networks(subject, peak, say)
    say("preprocessing and the engine")
    found |= engine_scoring.preparing(demo, deep, peak)
    say("a changed history")
    full_ms = found["engine.152"].value
    assert full_ms is not None
    found |= engine_history.rescoring(deep.engine, folder, full_ms)
    found |= engine_scoring.peaks(peak)
    found |= engine_processes.starts(folder, say)
    found |= engine_processes.memory(models_dir, say)
    return found


if __name__ == "__main__":
    main()
