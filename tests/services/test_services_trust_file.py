"""Figures of the maps: installed for the right weights, read back, never believed blindly."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest

from ecgdash.domain import Estimate
from ecgdash.domain.attribution import WAVE_COLUMNS, WaveTable
from ecgdash.domain.trust import TRUST_MARKS, CohortMap, FamilyTrust, TrustCheck
from ecgdash.errors import InputFileError, WeightsHashMismatch, WeightsMissing
from ecgdash.inference.manifest import (
    FileBeside,
    InstalledFamily,
    read_manifest,
    verify_beside,
    write_manifest,
)
from ecgdash.services.trust_file import (
    EXPLANATIONS_NAME,
    install_trust,
    installed_trust,
    read_trust,
)

FAMILY = "family-1"
SHA = hashlib.sha256(b"weights").hexdigest()


def table(factor=1.0):
    return WaveTable(("I",), factor * np.arange(len(WAVE_COLUMNS), dtype=float)[np.newaxis] / 8)


def trust(weights=SHA, **results):
    """Return figures that pass every check but the one whose result is given."""
    usual = {
        "completeness": (1e-5, None),
        "randomisation": (0.05, 0.3),
        "deletion": (4.0, 2.0),
        "agreement": (0.6, 0.7),
        "crops": (0.9, None),
        "pointing": (0.55, 0.4),
    }
    checks = []
    for mark in TRUST_MARKS:
        value, aside = results.get(mark.key, usual[mark.key])
        found = Estimate(value, value - 0.01, value + 0.01)
        checks.append(TrustCheck(mark.key, found, aside, mark.is_passed(value, aside), 7))
    maps = {"uncalibrated": {"all": CohortMap(7, table(-1.0), table())}}
    return FamilyTrust(
        FAMILY,
        weights,
        "SIMULATED: 7 ECGs",
        5,
        True,
        {"uncalibrated": tuple(checks)},
        maps,
        table(),
    )


@pytest.fixture
def models_dir(tmp_path):
    folder = tmp_path / "models"
    (folder / FAMILY).mkdir(parents=True)
    row = InstalledFamily(FAMILY, folder / FAMILY, "weights", SHA, "card.json", "0" * 64)
    write_manifest([row], folder)
    return folder


def test_what_is_installed_is_read_back(models_dir):
    made = trust(agreement=(math.nan, None))
    install_trust(made, models_dir)
    found = installed_trust(models_dir)[FAMILY]
    assert (found.family, found.weights_sha256, found.seed) == (FAMILY, SHA, 5)
    for ours, theirs in zip(made.checks["uncalibrated"], found.checks["uncalibrated"], strict=True):
        assert (ours.key, ours.aside, ours.passed) == (theirs.key, theirs.aside, theirs.passed)
        assert theirs.result.value == pytest.approx(ours.result.value, nan_ok=True)
    assert not found.checks["uncalibrated"][3].passed
    one = found.maps["uncalibrated"]["all"]
    np.testing.assert_array_equal(one.signed.values, table(-1.0).values)
    np.testing.assert_array_equal(found.cause.values, table().values)
    verify_beside(read_manifest(models_dir)[FAMILY], "explanations")


def test_a_file_cannot_claim_to_have_passed(models_dir):
    install_trust(trust(deletion=(1.2, 1.0)), models_dir)
    kept = models_dir / FAMILY / EXPLANATIONS_NAME
    kept.write_text(kept.read_text().replace('"passed": false', '"passed": true'))
    assert [c.passed for c in read_trust(kept).checks["uncalibrated"]].count(False) == 1


def test_figures_of_other_weights_do_not_count(models_dir):
    with pytest.raises(WeightsHashMismatch, match="of weights ffffffffffff"):
        install_trust(trust("f" * 64), models_dir)
    assert not (models_dir / FAMILY / EXPLANATIONS_NAME).exists()
    install_trust(trust(), models_dir)
    row = read_manifest(models_dir)[FAMILY]
    write_manifest([InstalledFamily(**{**vars(row), "weights_sha256": "e" * 64})], models_dir)
    assert installed_trust(models_dir) == {}


def test_a_changed_or_missing_file_counts_as_not_measured(models_dir):
    install_trust(trust(), models_dir)
    row = read_manifest(models_dir)[FAMILY]
    kept = models_dir / FAMILY / EXPLANATIONS_NAME
    kept.write_text(kept.read_text().replace("0.6", "0.9"))
    assert installed_trust(models_dir) == {}
    with pytest.raises(WeightsHashMismatch, match=r"explanations\.json has sha256"):
        verify_beside(row, "explanations")
    kept.unlink()
    assert installed_trust(models_dir) == {}
    with pytest.raises(WeightsMissing, match=r"explanations\.json is missing"):
        verify_beside(row, "explanations")


def test_evaluation_and_explanations_stand_side_by_side(models_dir):
    install_trust(trust(), models_dir)
    row = read_manifest(models_dir)[FAMILY]
    both = replace(row, beside={"evaluation": FileBeside("e.json", "1" * 64), **row.beside})
    write_manifest([both], models_dir)
    assert read_manifest(models_dir)[FAMILY] == both


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "x@2"}', "{}"])
def test_a_file_that_is_none_is_refused_with_a_sentence(tmp_path, text):
    path = tmp_path / EXPLANATIONS_NAME
    path.write_text(text)
    with pytest.raises(InputFileError, match="models trust FAMILY"):
        read_trust(path)


def test_a_family_that_is_not_installed_is_refused(tmp_path):
    with pytest.raises(WeightsMissing, match="'family-1' is not installed"):
        install_trust(trust(), tmp_path / "nothing")


def test_the_shipped_figures_are_of_the_shipped_weights():
    """Completeness is a promise, so it must hold; the other checks may fail and say so."""
    found = installed_trust()
    assert set(found) == {
        name for name, row in read_manifest().items() if "explanations" in row.beside
    }
    assert found
    for one in found.values():
        for checks in one.checks.values():
            assert [check.key for check in checks] == [mark.key for mark in TRUST_MARKS]
            assert checks[0].passed
        for groups in one.maps.values():
            assert all(map_.n_ecgs >= 40 for map_ in groups.values())
