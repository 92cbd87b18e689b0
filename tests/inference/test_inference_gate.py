from collections import Counter

import numpy as np
import pytest

from ecgdash.domain import CANONICAL_LEADS, EcgRecord
from ecgdash.inference.gate import gate
from ecgdash.signal.leads import derive_limb_leads

TIME_S = np.arange(5000) / 500.0


def good_signal(seed=0):
    """Ten seconds of beats of about 1 mV that obey Einthoven."""
    noise = np.random.default_rng(seed).normal(0, 0.01, size=(8, TIME_S.size))
    beat = np.exp(-(((TIME_S % 0.8) - 0.4) ** 2) / (2 * 0.012**2))
    eight = noise + np.linspace(0.5, 1.2, 8)[:, None] * beat
    return np.concatenate([derive_limb_leads(eight[0], eight[1]), eight[2:]])


def record(signal=None, leads=CANONICAL_LEADS, *, age=60.0, statements=(), hz=500.0):
    signal = good_signal() if signal is None else signal
    return EcgRecord(signal, leads, hz, age_years=age, statements=statements)


def changed(lead, samples, value):
    signal = good_signal()
    signal[CANONICAL_LEADS.index(lead), samples] = value
    return signal


def test_a_good_ecg_passes_without_a_word():
    result = gate(record())
    assert (result.status, result.reasons, result.notes) == ("analysable", (), ())


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (changed("V2", slice(None), 0.0), "lead V2 is flat for 10.0 s"),
        (changed("V5", slice(1000, 1750), 0.3), "lead V5 is flat for 1.5 s"),
        (changed("V3", slice(0, 600), np.nan), "lead V3 lacks 1.2 s"),
        (changed("V1", 2500, 40.0), "lead V1 reaches 40 mV, which no heart does"),
        (good_signal()[:, :4400], "the record is 8.8 s long, 9 s are needed"),
        (good_signal()[:, :4499], "the record is 8.9 s long, 9 s are needed"),
        (good_signal() * 1000, "the unit or gain is not plausible"),
        (good_signal() / 1000, "the unit or gain is not plausible"),
    ],
)
def test_poor_quality_says_why(signal, reason):
    result = gate(record(signal))
    assert result.status == "poor_quality"
    assert any(reason in said for said in result.reasons), result.reasons


def test_a_clipped_lead_is_poor_quality():
    signal = good_signal()
    signal[6] = np.clip(4 * np.sin(2 * np.pi * TIME_S), -5, 2.5)
    assert gate(record(signal)).reasons == ("lead V1 is cut off at 2.5 mV",)


def test_swapped_limb_leads_are_poor_quality():
    signal = good_signal()
    signal[2] = -signal[2] + signal[0]
    result = gate(record(signal))
    assert result.status == "poor_quality"
    assert "does not fit leads I and II" in result.reasons[0]


def test_electrode_offsets_do_no_harm():
    assert gate(record(good_signal() + 3.0)).analysable


@pytest.mark.parametrize(
    ("age", "status", "note"),
    [
        (17.9, "excluded", ""),
        (18.0, "analysable", ""),
        (None, "analysable", "age unknown"),
        (300.0, "analysable", "read as over 89"),
        (-3.0, "analysable", "which is no age"),
    ],
)
def test_age(age, status, note):
    result = gate(record(age=age))
    assert result.status == status
    assert note in " ".join(result.notes)


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("Electronic ventricular pacemaker", "excluded"),
        ("SCP code PACE (100)", "excluded"),
        ("SNOMED code 10370003", "excluded"),
        ("Paced rhythm is no longer present", "analysable"),
        ("Sinus rhythm has replaced electronic ventricular pacemaker", "analysable"),
        ("Possible pacemaker", "analysable"),
        ("Normal sinus rhythm", "analysable"),
    ],
)
def test_paced_by_statement(statement, status):
    assert gate(record(statements=(statement,))).status == status


def test_excluded_goes_before_poor_quality_and_both_are_said():
    result = gate(record(changed("V2", slice(None), 0.0), age=12.0))
    assert result.status == "excluded"
    assert len(result.reasons) == 2


def test_a_bad_chest_lead_does_not_withhold_the_limb_leads():
    bad = record(changed("V2", slice(None), 0.0))
    assert not gate(bad).analysable
    assert gate(bad, lead_set="6").analysable
    assert gate(bad, lead_set="1").analysable


def test_the_largest_lead_set_held_is_judged():
    assert gate(record(good_signal()[:6], CANONICAL_LEADS[:6])).analysable
    assert gate(record(good_signal()[:1], ("I",))).analysable
    asked = gate(record(good_signal()[:6], CANONICAL_LEADS[:6]), lead_set="12")
    assert asked.reasons == ("leads V1, V2, V3, V4, V5 and V6 are not recorded",)
    assert gate(record(good_signal()[1:2], ("II",))).reasons == ("lead I is not recorded",)


def test_padding_is_trimmed_and_length_is_judged_after_it():
    long = np.concatenate([good_signal(), np.zeros((12, 5000))], axis=1)
    result = gate(record(long))
    assert result.analysable
    assert result.window_s == (0.0, 9.96)
    assert result.notes == ("10.04 s trimmed at the end, where no lead moves",)
    short = good_signal()
    short[:, 4400:] = 0.0
    assert gate(record(short)).reasons == ("the record is 8.7 s long, 9 s are needed",)


def test_the_best_ten_seconds_of_a_longer_recording_are_judged():
    long = np.tile(good_signal(), 3)
    long[7, 6200:6900] = 0.0
    result = gate(record(long))
    assert result.analysable
    assert result.window_s[0] >= 13.0 or result.window_s[1] <= 13.0
    assert "the record is 30.0 s long, its best 10 s are scored" in result.notes[-1]


def code_of(result):
    (finding,) = [item for item in result.findings if item.effect != "notes"]
    return finding.code, finding.leads


def exchanged(first, second):
    signal = good_signal()
    rows = [CANONICAL_LEADS.index(first), CANONICAL_LEADS.index(second)]
    signal[rows] = signal[rows[::-1]]
    return signal


def test_exchanged_lead_rows_are_named():
    """A heart's axis at 30 degrees makes some leads alike: here aVL and aVF differ."""
    result = gate(record(exchanged("aVL", "aVF")))
    assert code_of(result) == ("limb_swap", ("aVL", "aVF"))
    assert "the laws hold if leads aVL and aVF are exchanged" in result.reasons[0]


def test_limb_leads_that_no_exchange_explains():
    signal = good_signal()
    signal[5] = np.roll(signal[5], 200)
    assert code_of(gate(record(signal)))[0] == "limb_inconsistent"


def test_a_lead_between_two_legs_is_nearly_flat():
    eight = good_signal()[[0, 1, *range(6, 12)]]
    eight[1] *= 0.05  # above the noise of a real electrode, far below a beat
    signal = np.concatenate([derive_limb_leads(eight[0], eight[1]), eight[2:]])
    result = gate(record(signal))
    assert code_of(result) == ("limb_swap", ("II",))
    assert "right arm exchanged with that of the right leg" in result.reasons[0]


@pytest.fixture(scope="module")
def simulated():
    from ecgdash.simulate.examples import example_parameters
    from ecgdash.simulate.waveform import synthesise

    return synthesise(example_parameters("normal", 8, 31), 500.0)


@pytest.mark.parametrize(
    ("new_i", "new_ii", "words"),
    [
        # an exchange of electrodes: lead I is LA - RA, lead II is LL - RA
        (lambda i, ii: -i, lambda i, ii: ii - i, "the electrodes of the two arms exchanged"),
        (lambda i, ii: i - ii, lambda i, ii: -ii, "right arm and the left leg exchanged"),
    ],
)
def test_exchanged_electrodes_are_named_by_shape(simulated, new_i, new_ii, words):
    named = []
    for ecg in simulated:
        assert gate(record(ecg)).analysable
        wrong = ecg.copy()
        wrong[:6] = derive_limb_leads(new_i(ecg[0], ecg[1]), new_ii(ecg[0], ecg[1]))
        named += [item for item in gate(record(wrong)).findings if item.effect == "withholds"]
    assert len(named) >= len(simulated) - 2  # a steep axis leaves too little in lead I
    assert {item.code for item in named} == {"limb_swap"}
    assert all(words in item.text for item in named)


def test_negative_chest_leads_too_are_a_heart_on_the_right_not_a_swap(simulated):
    wrong = simulated[0].copy()
    wrong[:6] = derive_limb_leads(-wrong[0], wrong[1] - wrong[0])
    wrong[11] = -wrong[11]
    assert gate(record(wrong)).analysable


@pytest.mark.parametrize("hz", [250.0, 500.0, 1000.0])
def test_simulated_pacing_is_seen_at_every_rate_that_shows_it(hz):
    from ecgdash.simulate.examples import example_parameters
    from ecgdash.simulate.waveform import synthesise

    for name, status in (("paced", "excluded"), ("lbbb", "analysable")):
        for ecg in synthesise(example_parameters(name, 5, 77), hz):
            assert gate(record(ecg, hz=hz)).status == status


def test_a_lead_twice():
    signal = good_signal()
    signal[9] = signal[8] + 0.2  # an offset does not make it another lead
    result = gate(record(signal))
    assert code_of(result) == ("duplicated_leads", ("V3", "V4"))


def test_noise_that_hides_the_beat(rng):
    signal = good_signal()
    signal[8] += rng.normal(0, 0.4, 5000)
    assert code_of(gate(record(signal))) == ("noise", ("V3",))
    signal = good_signal()
    signal[8] += rng.normal(0, 0.04, 5000)
    result = gate(record(signal))
    assert result.analysable
    assert result.notes == ("noisy: V3 0.04 mV root mean square",)


def test_a_jump_of_the_baseline_and_wander():
    signal = good_signal()
    signal[6] += np.where(TIME_S < 4.0, 0.0, 7.0)
    assert code_of(gate(record(signal))) == ("baseline", ("V1",))
    signal = good_signal()
    signal[6] += np.sin(2 * np.pi * 0.1 * TIME_S)
    result = gate(record(signal))
    assert result.analysable
    assert result.findings[0].code == "baseline"


@pytest.mark.parametrize("rail", [2.5, 5.12, 14.0])
def test_rails_at_any_value(rail):
    signal = good_signal()
    signal[6] = np.clip(1.6 * rail * np.sin(2 * np.pi * TIME_S), -rail, rail)
    assert code_of(gate(record(signal))) == ("clipped", ("V1",))


def test_at_100_hz_spikes_are_not_claimed_to_be_absent():
    result = gate(record(good_signal()[:, ::5], hz=100.0))
    assert result.analysable
    assert result.notes == ("at 100 Hz pacing spikes cannot be seen",)


@pytest.mark.real
def test_real_records_are_withheld_for_age_and_pacing_only(shared_data):
    """All 353 PTB-XL records: 6 coded PACE, 6 of age 17, and no fault of recording."""
    import ast
    import csv

    import wfdb

    folder = shared_data / "ptbxl500"
    found = Counter()
    with (folder / "ptbxl_database.csv").open() as table:
        for row in csv.DictReader(table):
            raw = wfdb.rdrecord(str(folder / row["filename_hr"]))
            codes = ast.literal_eval(row["scp_codes"])
            result = gate(
                EcgRecord(
                    raw.p_signal.T,
                    CANONICAL_LEADS,
                    float(raw.fs),
                    age_years=float(row["age"]) if row["age"] else None,
                    statements=tuple(f"SCP code {code} ({codes[code]:g})" for code in codes),
                )
            )
            found[result.status] += 1
    assert found == {"analysable": 341, "excluded": 12}


def test_leads_with_the_same_fault_share_a_sentence():
    signal = good_signal()
    for lead, seconds in (("V4", 10.0), ("V5", 10.0), ("V6", 8.0)):
        signal[CANONICAL_LEADS.index(lead), : round(seconds * 500)] = 0.125
    (finding,) = [f for f in gate(record(signal)).findings if f.code == "flat"]
    assert finding.text == "leads V4, V5 and V6 are flat for 8.0 to 10.0 s"
    assert finding.leads == ("V4", "V5", "V6")
