"""Flags and LVSD scores on real ECGs that no network is trained on.

    python -m benchmarks.real_flags FOLDER [--half tune|final|both]

FOLDER holds `ptbxl500` and `cinc2021_mat_hea`. The codes others gave each ECG are the
reference; statements are off, so a flag is what measurements and the label head say.
AUROC with DeLong intervals of the head, the rules and their unfitted sum; sensitivity and
specificity, with Clopper-Pearson intervals, of the flag as shown. Each twice: with the
corrections of `label_corrections.csv` and without. Then the share of ECGs whose
uncalibrated LVSD score lies at or above the card's threshold, by code.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.real_ecgs import HALVES, RealEcg, corrections, real_ecgs
from ecgdash.inference import Engine
from ecgdash.labels.evidence import rule_evidence
from ecgdash.labels.flags import Known, flags_of, own_measurements
from ecgdash.labels.statements import affirmed_findings
from ecgdash.stats import auroc, clopper_pearson

FAMILY = "deepecg-lvsd-12"


@dataclass(frozen=True)
class Class:
    """A class of ECGs: its name here, the findings that name it, the label, the flag."""

    name: str
    findings: tuple[str, ...]
    label: str
    flag: str


CLASSES = (
    Class("AFIB", ("AFIB",), "AFIB", ""),
    Class("AFIB or flutter", ("AFIB", "AFL"), "AF_OR_AFL", "AFIB"),
    Class("LBBB", ("LBBB",), "LBBB", "LBBB"),
    Class("RBBB", ("RBBB",), "RBBB", "RBBB"),
    Class("PVC", ("PVC",), "PVC", "PVC"),
    Class("paced", ("PACED",), "PACED", "paced"),
    Class("first-degree block", ("PR>200",), "PR>200", "PR>200"),
    Class("prior MI", ("MI",), "MI", "prior_MI"),
)
SCORED_CODES = (
    "NORM LVH CLBBB CRBBB IRBBB LAFB IVCD AFIB AFLT 1AVB PVC IMI AMI ASMI ISC_ NST_ NDT "
    "LVOLT LOWT INVT"
).split()


@dataclass(frozen=True)
class Judged:
    """What the product says of one ECG with its statements off."""

    ecg: RealEcg
    known: Known
    flags: frozenset[str]
    score: float

    def logit(self, label: str, part: str) -> float:
        """Return the logit of the head, the rules or their sum; NaN where there is none."""
        names = ("Q_ANTERIOR", "Q_INFERIOR", "Q_LATERAL") if label == "MI" else (label,)
        return max(self._logit(name, part) for name in names)

    def _logit(self, label: str, part: str) -> float:
        score, rule = self.known.head.get(label), self.known.rules.get(label)
        head = np.nan if score is None else float(np.log(score / (1 - score)))
        ruled = -4.0 if rule is None else rule.logit
        return {"head": head, "rules": ruled, "sum": np.clip(head, -6, 6) + ruled}[part]


def judge(ecgs: Sequence[RealEcg]) -> list[Judged]:
    engine = Engine.load(FAMILY)
    records = [ecg.record for ecg in ecgs]
    heads = engine.label_scores(records)
    lvsd = (1 / (1 + np.exp(-engine.base_logits(records)[:, 0]))).mean(axis=-1)
    out = []
    for ecg, head, score in zip(ecgs, heads, lvsd, strict=True):
        own = own_measurements(ecg.record)
        assert own is not None
        known = Known((), {}, own.as_cart(), ecg.record.sex, rule_evidence(own), head)
        names = frozenset(flag.name for flag in flags_of(known))
        out.append(Judged(ecg, known, names, float(score)))
    return out


def truth(judged: Sequence[Judged], wanted: Class, corrected: bool) -> np.ndarray:
    fixes = corrections() if corrected else {}
    held = []
    for item in judged:
        found = set(affirmed_findings(item.ecg.codes))
        for label, holds in fixes.get((item.ecg.dataset, item.ecg.name), {}).items():
            (found.add if holds else found.discard)(label)
        held.append(bool(found & set(wanted.findings)))
    return np.array(held)


def class_rows(judged: Sequence[Judged], corrected: bool) -> Iterator[str]:
    yield "| class | n | head | rules | sum | flag: sensitivity | specificity |"
    yield "|---|---|---|---|---|---|---|"
    for wanted in CLASSES:
        y = truth(judged, wanted, corrected)
        cells = [f"{wanted.name}", f"{y.sum()} of {y.size}"]
        for part in ("head", "rules", "sum"):
            values = np.array([item.logit(wanted.label, part) for item in judged])
            cells.append(_auroc_words(y, values))
        if wanted.flag:
            shown = np.array([wanted.flag in item.flags for item in judged])
            cells += [_share(shown[y]), _share(~shown[~y])]
        else:
            cells += ["", ""]
        yield "| " + " | ".join(cells) + " |"


def _auroc_words(y: np.ndarray, values: np.ndarray) -> str:
    if not 0 < y.sum() < y.size or np.isnan(values).any():
        return "-"
    found = auroc(y, values)
    return f"{found.value:.3f} ({found.low:.3f}-{found.high:.3f})"


def _share(hits: np.ndarray) -> str:
    if hits.size == 0:
        return "-"
    low, high = clopper_pearson(int(hits.sum()), hits.size)
    return f"{hits.mean():.3f} ({low:.3f}-{high:.3f}; {hits.sum()}/{hits.size})"


def score_rows(judged: Sequence[Judged], threshold: float) -> Iterator[str]:
    yield f"| PTB-XL code | at or above {threshold:.3f} | median score |"
    yield "|---|---|---|"
    for code in SCORED_CODES:
        pattern = re.compile(rf"^SCP code {re.escape(code)}(?: |$)")
        scores = np.array(
            [item.score for item in judged if any(pattern.match(c) for c in item.ecg.codes)]
        )
        if scores.size:
            yield f"| {code} | {_share(scores >= threshold)} | {np.median(scores):.3f} |"


def wrong_rows(judged: Sequence[Judged]) -> Iterator[str]:
    for wanted in (item for item in CLASSES if item.flag):
        for item, holds in zip(judged, truth(judged, wanted, corrected=True), strict=True):
            if holds != (wanted.flag in item.flags):
                rule = item.known.rules.get(wanted.label)
                yield (
                    f"{wanted.name}: {'missed' if holds else 'false'} {item.ecg.dataset} "
                    f"{item.ecg.name}: head {item.logit(wanted.label, 'head'):.1f}, rules "
                    f"{item.logit(wanted.label, 'rules'):.1f} ({rule.text if rule else ''}); "
                    f"{', '.join(item.ecg.codes)}"
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--half", choices=(*HALVES, "both"), default="tune")
    parser.add_argument("--wrong", action="store_true", help="List every wrong flag (tune only).")
    chosen = parser.parse_args()
    everything = list(real_ecgs(chosen.folder))
    card = Engine.load(FAMILY).card
    threshold = card.variants[0].youden.value
    for half in HALVES if chosen.half == "both" else (chosen.half,):
        judged = judge([ecg for ecg in everything if ecg.half == half])
        print(f"\n## Half '{half}', {len(judged)} ECGs, weights {card.weights_sha256[:12]}\n")
        for corrected in (True, False):
            print("With label corrections:\n" if corrected else "\nLabels as published:\n")
            print("\n".join(class_rows(judged, corrected)))
        print("\nUncalibrated LVSD score:\n")
        print("\n".join(score_rows(judged, threshold)))
        if chosen.wrong and half == "tune":
            print()
            print("\n".join(wrong_rows(judged)))


if __name__ == "__main__":
    main()
