"""Simulated ECGs are judged, flagged and scored as the same ECGs are at import."""

import numpy as np
import pytest

from ecgdash.inference.manifest import installed_families
from ecgdash.labels.subgroups import subgroups_of
from ecgdash.services.evaluation_family import FamilyWork, judged
from ecgdash.services.evaluation_pairs import SUBGROUP_KEYS
from ecgdash.services.importing import import_paths
from ecgdash.services.monitoring import timeline
from ecgdash.services.simulation import simulate_to_files
from ecgdash.settings import Settings
from ecgdash.simulate.cohort import simulate_patients

N_PATIENTS, SEED, ENRICH = 10, 21, {"LBBB": 3, "AFIB": 3}


@pytest.fixture(scope="module")
def cohort():
    return simulate_patients(N_PATIENTS, SEED, ENRICH)


def test_gate_and_subgroups_equal_those_of_the_imported_files(cohort, store, tmp_path):
    made = simulate_to_files(N_PATIENTS, SEED, tmp_path / "out", enrich=ENRICH)
    import_paths(
        store,
        [made.folder / "ecgs"],
        settings=Settings(models_dir=tmp_path),
        echo=made.folder / "echo.csv",
        diagnoses=made.folder / "diagnoses.csv",
    )
    analysable, members = np.zeros(cohort.n_ecgs, bool), np.zeros((cohort.n_ecgs, 17), bool)
    for batch in cohort.iter_ecgs(32):
        analysable[batch.index], members[batch.index] = judged(batch, cohort)
    for patient in range(cohort.n_patients):
        key = store.find_patients(cohort.patient_id(patient))[0].key
        ages = {ecg.key: ecg.age_years for ecg in store.ecgs_of(key)}
        course = timeline(store, key, [])
        assert len(course.points) == len(cohort.ecgs_of(patient))
        for point, row in zip(course.points, cohort.ecgs_of(patient), strict=True):
            assert (point.status == "analysable") == analysable[row]
            held = subgroups_of(point.flags, ages[point.ecg], course.patient.sex)
            found = {k for k, is_in in zip(SUBGROUP_KEYS, members[row], strict=True) if is_in}
            assert found == held
    assert members[:, SUBGROUP_KEYS.index("LBBB")].any()
    assert members[:, SUBGROUP_KEYS.index("AFIB")].any()
    assert members[:, SUBGROUP_KEYS.index("all")].all()


def test_logits_equal_those_of_the_engine_on_records(cohort):
    settings = Settings()
    cards = [card for card in installed_families(settings.models_dir) if card.lead_set == "12"]
    assert cards, "the shipped 12-lead family is missing"
    from ecgdash.inference import Engine

    rows = np.arange(12)
    batch = next(iter(cohort.iter_ecgs(12, which=rows)))
    part = FamilyWork(cards[0], settings.models_dir).analyse(batch, cohort)
    engine = Engine.load(cards[0].family, "cpu", settings.models_dir)
    expected = engine.base_logits(list(cohort.records(rows)))
    assert part.base_logits == pytest.approx(expected, abs=1e-5)
