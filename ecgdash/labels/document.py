"""The 46 labels as a table for readers: `docs/labels.md` (tested to be what the code says).

python -m ecgdash.labels.document > docs/labels.md
"""

import sys

from ecgdash.labels.spec import LabelSpec
from ecgdash.labels.table import LABELS

__all__ = ["label_document"]

_HEAD = """# The 46 labels

Made by `python -m ecgdash.labels.document` from the table that the code uses. *The study* (DeepECG
LVSD, JMIR Med Inform 2026;14:e83127, "First Pretraining Phase") counts 17 labels of rhythm, 8 of
conduction, 8 of ischaemia, 7 others and 6 from numbers, and names only some of them: "stated" is
named there, the others are our choice. Labels of simulated ECGs are these criteria on measurements
of the noisy waveform; statements and codes of real ECGs are read by the patterns of the same table
(`ecgdash/labels/`). What each source is stands in `ecgdash/labels/criteria.py`.

| label | group | origin | statement | measured criterion | source | SCP | SNOMED CT |
|---|---|---|---|---|---|---|---|
"""


def label_document() -> str:
    """Return the document, Markdown."""
    return _HEAD + "".join(_row(spec) for spec in LABELS)


def _row(spec: LabelSpec) -> str:
    cells = (
        f"`{spec.name}`",
        spec.group,
        spec.origin,
        spec.statement or "(a number, or said by another)",
        spec.criterion,
        spec.source,
        ", ".join(spec.scp),
        ", ".join(spec.snomed),
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(label_document())
