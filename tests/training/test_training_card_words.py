"""The card's sentences follow from settings and data, and agree with the code."""

from dataclasses import replace

import pytest

from ecgdash.inference.history import LVEF_CENTRE_PERCENT, LVEF_SCALE_PERCENT
from ecgdash.labels.cart import LABELS
from ecgdash.signal.preprocess import BAND_HZ, CROP_S, FILTER_ORDER, MODEL_SAMPLING_HZ
from ecgdash.training.card_words import (
    chosen,
    differs,
    label_definition,
    must_not,
    notes,
    side_words,
)
from ecgdash.training.config import TrainingConfig

SIMULATED = {"simulated": True, "seed": 1}
OWN = {"simulated": False, "description": "own data"}
CONFIG = TrainingConfig()
BIG = replace(CONFIG, architecture="se-resnext-152")


def test_simulated_patients_are_named_in_every_part() -> None:
    assert "simulated echo" in label_definition(SIMULATED)
    assert must_not(SIMULATED, "12")[0].startswith("Not for real patients")
    assert any("simulated patients instead" in one for one in differs(CONFIG, SIMULATED))
    assert any("patients of its own" in one for one in differs(CONFIG, SIMULATED))
    assert side_words(SIMULATED)["test"] == "simulated test patients, seeds 1 and following"


def test_own_data_have_the_papers_patients_in_phase_3() -> None:
    for sentences in (must_not(OWN, "12"), chosen(CONFIG, OWN), differs(CONFIG, OWN)):
        assert "simulated" not in " ".join(sentences).lower()
    assert not any("patients of its own" in one for one in differs(CONFIG, OWN))
    assert side_words(OWN) == {"validation": "validation patients", "test": "test patients"}


def test_the_network_is_the_configured_one() -> None:
    assert any("instead of SE-ResNeXt-152" in one for one in differs(CONFIG, OWN))
    assert not any("SE-ResNeXt-152" in one for one in differs(BIG, OWN))
    assert any("32 groups of width 4" in one for one in chosen(BIG, OWN))


def test_what_block_4_does_in_phase_3_is_said() -> None:
    fixed = replace(CONFIG, train_block4=False)
    assert any("block 4 is not trained" in one for one in differs(fixed, OWN))
    assert not any("block 4 is not trained" in one for one in differs(CONFIG, OWN))
    assert any("block 4 and the last layer" in one for one in chosen(CONFIG, OWN))
    assert not any("block 4 and the last layer" in one for one in chosen(fixed, OWN))


def test_settings_are_the_configured_ones() -> None:
    text = " ".join(chosen(CONFIG, OWN))
    assert "at most 6, 5, 8 epochs" in text
    assert "rates 0.003, 0.002, 0.003 and batches of 64, 64, 128" in text
    assert "bfloat16" not in text
    half = replace(
        CONFIG,
        pretrain=replace(CONFIG.pretrain, bf16=True),
        finetune=replace(CONFIG.finetune, bf16=True),
    )
    assert "bfloat16 in phases 1 and 2." in " ".join(chosen(half, OWN))
    assert "64 hidden units" in text


def test_numbers_in_the_sentences_are_the_codes() -> None:
    text = " ".join((*notes(CONFIG, len(LABELS)), *chosen(CONFIG, OWN)))
    assert f"{len(LABELS)} labels" in text
    assert f"order {FILTER_ORDER}" in text
    assert f"{BAND_HZ[0]}-{BAND_HZ[1]:.0f} Hz" in text
    assert f"{MODEL_SAMPLING_HZ:.0f} Hz" in text
    assert f"{CROP_S:.0f}-s crops" in text
    assert f"(LVEF - {LVEF_CENTRE_PERCENT:.0f}) / {LVEF_SCALE_PERCENT:.0f}" in text


@pytest.mark.parametrize(("lead_set", "words"), [("12", "leads I, II"), ("1", "lead I,")])
def test_the_leads_it_needs_are_named(lead_set, words) -> None:
    assert any(f"without {words}" in one for one in must_not(SIMULATED, lead_set))
