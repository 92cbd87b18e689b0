"""The spec of an external scorer: every key is checked, and all that is wrong is told at once."""

import pytest
from external_nets import SPECS, spec_text

from ecgdash.errors import InvalidValue
from ecgdash.inference.external_card import card_of_spec, own_threshold
from ecgdash.inference.external_keys import read_spec, spec_from_text

SHIPPED = sorted(SPECS.glob("*.toml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_spec_is_read_and_named_like_its_file(path):
    spec = read_spec(path)
    assert spec.name == path.stem
    assert (len(spec.leads), spec.n_samples, spec.sampling_hz) == (12, 2500, 250)
    assert spec.lead_set == "12"


def test_the_shipped_specs_differ_in_label_and_published_threshold():
    found = {path.stem: read_spec(path) for path in SHIPPED}
    told = {name: (spec.full_label, spec.threshold.value) for name, spec in found.items()}
    assert told == {
        "heartwise-lvef40": ("LVEF <= 40 %", 0.197),
        "heartwise-lvef50": ("LVEF < 50 %", 0.268),
        "pulse-hf": ("LVEF <= 40 %, 1 year forecast", None),
    }


WRONG = {
    "format": ('"pickle"', "format is 'pickle' (accepted: torchscript or safetensors)"),
    "leads": ('["I", "I"]', "leads is ['I', 'I'] (accepted: a list of leads among I, II"),
    "sampling_hz": ("10", "sampling_hz is 10 (accepted: 50 to 2000)"),
    "n_samples": ("2500.5", "n_samples is 2500.5 (accepted: a whole number"),
    "layout": ('"flat"', "layout is 'flat' (accepted: leads-samples or samples-leads"),
    "divide_by": ("0", "divide_by is 0 (accepted: above 0; 1 leaves mV)"),
    "resampling": ('"nearest"', "resampling is 'nearest' (accepted: polyphase or linear)"),
    "band_hz": ("[40, 0.67]", "band_hz is [40, 0.67] (accepted: none, or two rising"),
    "crops": ('"last"', "crops is 'last' (accepted: first or centre or three)"),
    "if_short": ('"refuse"', "if_short is 'refuse' (accepted: zeros or hold)"),
    "normalisation": ('"z"', "normalisation is 'z' (accepted: none or per-ecg-fft-lead-I)"),
    "activation": ('"tanh"', "activation is 'tanh' (accepted: sigmoid or softmax or none)"),
    "n_outputs": ("0", "n_outputs is 0 (accepted: how many numbers"),
    "output_index": ("-1", "output_index is -1 (accepted: 0 or more, below n_outputs)"),
    "horizon": ('"soon"', "horizon is 'soon' (accepted: now, or such as '1 year forecast')"),
    "extra_inputs": ('"age"', "extra_inputs is 'age' (accepted: none or pulse-hf-15)"),
    "sha256": ('"abc"', "sha256 is 'abc' (accepted: 64 small hexadecimal digits)"),
    "licence": ('""', "licence is '' (accepted: a text)"),
    "name": ('"../up"', "name is '../up' (accepted: 3 to 64 small letters"),
    "value": ("1.5", "threshold.value is 1.5 (accepted: above 0 and below 1, or 'not stated')"),
    "sensitivity": ("93", "threshold.sensitivity is 93 (accepted: 0 to 1, or 'not stated')"),
    "polarity": ('"up"', "polarity is no key of a spec"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_key_is_told_with_what_is_there_and_what_is_accepted(key):
    value, told = WRONG[key]
    with pytest.raises(InvalidValue) as caught:
        spec_from_text(spec_text(**{key: value}), "mine.toml")
    assert caught.value.sentence.startswith("mine.toml: one thing is wrong with the spec: ")
    assert told in caught.value.sentence


def test_all_wrong_keys_are_told_in_one_go():
    text = spec_text(**{key: value for key, (value, _) in WRONG.items()})
    with pytest.raises(InvalidValue) as caught:
        spec_from_text(text, "mine.toml")
    assert all(told in caught.value.sentence for _, told in WRONG.values())
    assert f"{len(WRONG)} things are wrong" in caught.value.sentence


@pytest.mark.parametrize("key", ["divide_by", "activation", "label", "licence", "rule", "n"])
def test_a_missing_key_is_never_guessed(key):
    with pytest.raises(InvalidValue, match=f"{key} is missing"):
        spec_from_text(spec_text(**{key: ""}), "mine.toml")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"output_index": "1"}, "output_index is 1 (accepted: below n_outputs)"),
        ({"activation": '"softmax"'}, "softmax"),
        ({"architecture": '"demo"'}, "architecture belongs to format 'safetensors'"),
        ({"normalise_to": ""}, "normalise_to belongs to normalisation"),
        ({"band_hz": "[0.5, 150]"}, "band_hz ends at 150 (accepted: below half of sampling_hz)"),
        ({"n_samples": "5000"}, "n_samples are 20 s (accepted: at most 10 s"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(changed, told):
    with pytest.raises(InvalidValue) as caught:
        spec_from_text(spec_text(**changed), "mine.toml")
    assert told in caught.value.sentence


def test_another_rule_of_preprocessing_has_another_number_and_another_title_has_not():
    as_shipped = spec_from_text(spec_text(), "x").preprocessing_version
    moved = {
        spec_from_text(spec_text(**changed), "x").preprocessing_version
        for changed in (
            {"divide_by": "0.005"},
            {"crops": '"centre"'},
            {"if_short": '"zeros"'},
            {"normalise_to": "3"},
            {"resampling": '"linear"'},
            {"number_type": '"float64"'},
        )
    }
    assert len(moved) == 6
    assert as_shipped not in moved
    retitled = spec_from_text(spec_text(title='"Another"', value="0.3"), "x")
    assert retitled.preprocessing_version == as_shipped


def test_a_threshold_that_no_source_states_is_asked_for_and_never_invented():
    spec = read_spec(SPECS / "pulse-hf.toml")
    with pytest.raises(InvalidValue, match=r"states no threshold.*--threshold-origin"):
        card_of_spec(spec, "0" * 64)
    point = card_of_spec(spec, "0" * 64, own_threshold(0.3, "Youden, our clinic 2025")).variants[0]
    assert (point.youden.value, point.youden.rule) == (0.3, "own")
    assert point.youden.data == "Youden, our clinic 2025"
    assert point.youden.n == 0
    assert point.sensitivity_90.value != point.sensitivity_90.value  # NaN: not stated
    with pytest.raises(InvalidValue, match="origin is empty"):
        own_threshold(0.3, " ")
