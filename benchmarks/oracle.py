"""How well an ideal reader of simulated ECGs does, alone and with history.

    python benchmarks/oracle.py [PATIENTS] [SEED]

Prints the table that the simulator was tuned on, in a minute instead of the hour that
training the networks takes. Use seeds below 1000. A network reads about 0.03 lower.
"""

import sys
import time

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

from ecgdash.domain import form_pairs, masked_history, recalibrated_history
from ecgdash.simulate.cohort import SimulatedCohort, simulate_patients
from ecgdash.simulate.oracle import effect_sizes, true_intervals, visible_quantities, visits_by
from ecgdash.stats import delong_test

ENRICH = {"LBBB": 600, "AFIB": 300}


def pairs_of(cohort: SimulatedCohort) -> dict[str, list]:
    """Pairs and histories by the product's own rules; scores are filled in later."""
    table: dict[str, list] = {"row": [], "lvef": [], "baseline": [], "masked": [], "recal": []}
    paced = visits_by(cohort, "PACED")
    nothing = np.zeros(cohort.n_ecgs)
    for patient in range(cohort.n_patients):
        refs = [r for r in cohort.ecg_refs(patient) if not paced[int(r.key[1:])]]
        pairs = form_pairs(refs, cohort.echo_studies(patient))
        scores = {r.key: nothing[int(r.key[1:])] for r in refs}
        for i, pair in enumerate(pairs):
            table["row"].append(int(pair.ecg.key[1:]))
            table["lvef"].append(pair.echo.lvef_percent)
            table["baseline"].append(i == 0)
            table["masked"].append(masked_history(pair.ecg, refs, scores))
            table["recal"].append(recalibrated_history(pair.ecg, pairs, scores))
    return table


def history_columns(histories: list, logits: np.ndarray, with_lvef: bool) -> np.ndarray:
    rows = []
    for history in histories:
        row = []
        for slot in history.slots:
            row += [logits[int(slot.ecg[1:])], np.log1p(slot.interval_days / 365.25), slot.imputed]
            row += [(slot.lvef_percent - 50) / 15] if with_lvef else []
        rows.append(row)
    return np.array(rows, dtype=float)


def logit(p: np.ndarray) -> np.ndarray:
    return np.log(p / (1 - p))


def youden(y: np.ndarray, score: np.ndarray) -> float:
    fpr, tpr, cut = roc_curve(y, score)
    return float(cut[np.argmax(tpr - fpr)])


def with_interactions(x: np.ndarray) -> np.ndarray:
    """Let weights differ in the wide and the fibrillating, and bend each quantity."""
    groups = [x[:, 24:26].sum(1, keepdims=True), x[:, 27:28], x[:, 28:29]]
    return np.hstack([x, x[:, :23] ** 2, *(x[:, :23] * g for g in groups)])


class Reader:
    """Logistic and boosted classifier, averaged in the logit."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Reader":
        self.mean, self.sd = x.mean(0), x.std(0) + 1e-9
        z = with_interactions((x - self.mean) / self.sd)
        self.line = LogisticRegression(C=0.05, max_iter=400).fit(z, y)
        self.trees = HistGradientBoostingClassifier(
            max_depth=4, max_iter=150, learning_rate=0.06, l2_regularization=5.0, random_state=0
        ).fit(x, y)
        return self

    def logits(self, x: np.ndarray) -> np.ndarray:
        z = with_interactions((x - self.mean) / self.sd)
        return 0.6 * self.line.decision_function(z) + 0.4 * self.trees.decision_function(x)


def print_population(cohort: SimulatedCohort, pairs: dict[str, list]) -> None:
    rows = np.array(pairs["row"])[pairs["baseline"]]
    lvef = np.array(pairs["lvef"])[pairs["baseline"]]
    truth = true_intervals(cohort, rows) | {"age": cohort.age_years[rows], "LVEF": lvef}
    for name, paper in [
        ("age", "63.4 (15.1)"),
        ("LVEF", "60.2 (11.5)"),
        ("HR", "74.6 (16.7)"),
        ("PR", "165.3 (26.2)"),
        ("QRS", "94.1 (16.0)"),
        ("QTc", "436.5 (33.1)"),
    ]:
        v = truth[name]
        low = np.nanmean(v[lvef <= 40])
        print(f"{name:5s} {np.nanmean(v):6.1f} ({np.nanstd(v):.1f}) [{paper}]; LVSD {low:.1f}")
    print(f"LVSD {np.mean(lvef <= 40):.3f} [.078]  men {cohort.male[rows].mean():.3f} [.525]")
    for group in ("AFIB", "LBBB", "RBBB", "PACED"):
        mask = visits_by(cohort, group)[rows]
        print(f"{group} {mask.mean():.4f}, LVSD within {np.mean(lvef[mask] <= 40):.3f}")
    table = cohort.diagnosis_codes
    first_day = np.zeros(cohort.n_patients)
    first_day[cohort.patient_index[rows]] = cohort.recorded_at_s[rows] / 86400
    for name, prefix, paper in [
        ("HTN", ("I1",), 0.522),
        ("DM", ("E11",), 0.226),
        ("IHD", ("I20", "I21", "I25"), 0.061),
        ("CKD", ("N18",), 0.064),
    ]:
        known = np.array([str(c).startswith(prefix) for c in table.code])
        known &= table.day <= first_day[table.patient]
        has = np.isin(cohort.patient_index[rows], table.patient[known])
        print(f"{name} {has.mean():.3f} [{paper}], LVSD within {np.mean(lvef[has] <= 40):.3f}")
    no_echo = 1 - len(pairs["row"]) / cohort.n_ecgs
    follow_up = 1 - np.mean(pairs["baseline"])
    print(f"ECGs without pair {no_echo:.3f}; pairs {len(pairs['row'])}, follow-up {follow_up:.3f}")
    print("feature-remodelling r", {k: round(v, 2) for k, v in effect_sizes(cohort).items()})


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    started = time.time()
    train, test = simulate_patients(2 * n, seed), simulate_patients(n, seed + 1, ENRICH)
    tables = [pairs_of(train), pairs_of(test)]
    print_population(train, tables[0])
    seen = [visible_quantities(train, 1), visible_quantities(test, 2)]
    row, y, base = ([np.array(t[k]) for t in tables] for k in ("row", "lvef", "baseline"))
    y = [v <= 40 for v in y]
    reader = Reader().fit(seen[0][row[0]][base[0]], y[0][base[0]])
    z = [reader.logits(s) for s in seen]
    plain = test.enriched_as[test.patient_index[row[1]]] == ""
    keep_base = base[1] & plain
    print(f"baseline uncal AUROC {roc_auc_score(y[1][keep_base], z[1][row[1]][keep_base]):.3f}")
    cut = youden(y[0][base[0]], z[0][row[0]][base[0]])
    groups = {g: visits_by(test, g)[row[1]] for g in ("AFIB", "LBBB", "RBBB", "sinus_no_bbb")}
    report("baseline", groups, base[1], y[1], {"uncal": (z[1][row[1]], cut)})
    follow_up(tables, z, row, y, groups, plain)
    print(f"{time.time() - started:.0f} s")


def follow_up(tables, z, row, y, groups, plain) -> None:
    usable = [np.array([h is not None for h in t["recal"]]) for t in tables]
    models = {}
    base = np.array(tables[0]["baseline"])
    scores = {"uncal": (z[1][row[1]], youden(y[0][base], z[0][row[0]][base]))}
    for name, with_lvef in (("masked", False), ("recal", True)):
        x = []
        for t, logits, rows, mask in zip(tables, z, row, usable, strict=True):
            chosen = [h for h, m in zip(t[name], mask, strict=True) if m]
            x.append(
                np.hstack([logits[rows[mask], None], history_columns(chosen, logits, with_lvef)])
            )
        models[name] = LogisticRegression(C=1.0, max_iter=500).fit(x[0], y[0][usable[0]])
        trees = HistGradientBoostingClassifier(max_depth=3, max_iter=120, learning_rate=0.05)
        trees.fit(x[0], y[0][usable[0]])
        mixed = [0.5 * (models[name].decision_function(v) + trees.decision_function(v)) for v in x]
        full = np.full(len(y[1]), np.nan)
        full[usable[1]] = mixed[1]
        scores[name] = (full, youden(y[0][usable[0]], mixed[0]))
    last = np.array([-h.slots[0].lvef_percent if h else np.nan for h in tables[1]["recal"]])
    scores["last LVEF"] = (last, -45.0)
    keep = usable[1] & plain
    for name, (s, _) in scores.items():
        print(f"follow-up {name:9s} AUROC {roc_auc_score(y[1][keep], s[keep]):.3f}")
    for better, worse in (("masked", "uncal"), ("recal", "masked")):
        d = delong_test(y[1][keep], scores[better][0][keep], scores[worse][0][keep])
        print(f"{better} minus {worse}: {d.difference:.4f}, z {d.z:.1f}, p {d.p:.1e}")
    print(f"follow-up pairs {keep.sum()}, LVSD {y[1][keep].mean():.3f}")
    report("follow-up", groups, usable[1], y[1], scores)


def report(title, groups, keep, y, scores) -> None:
    for group, mask in groups.items():
        rows = keep & mask
        print(f"{title} {group}: n {rows.sum()}, positive {y[rows].sum()}")
        for name, (s, cut) in scores.items():
            v, t = s[rows], y[rows]
            spec, sens = np.mean(v[~t] < cut), np.mean(v[t] >= cut)
            at90 = np.mean(v[~t] < np.quantile(v[t], 0.10))
            auroc = roc_auc_score(t, v)
            print(
                f"   {name:9s} AUROC {auroc:.3f} sens {sens:.3f} spec {spec:.3f} spec@90 {at90:.3f}"
            )


if __name__ == "__main__":
    main()
