"""External engines: what the network is given, what its answer means, what a history adds."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from external_nets import (
    BatchScaled,
    Broken,
    Deaf,
    Forgetless,
    Scorer,
    WithHistory,
    spec_text,
    torchscript,
)
from inference_family import ecg
from safetensors.torch import save

from ecgdash.domain import CANONICAL_LEADS, UNCALIBRATED
from ecgdash.errors import InputDoesNotFitModel, WeightsMissing
from ecgdash.inference.external_card import card_of_spec, own_threshold
from ecgdash.inference.external_check import try_network
from ecgdash.inference.external_engine import ExternalEngine
from ecgdash.inference.external_keys import spec_from_text
from ecgdash.inference.external_network import open_network
from ecgdash.nets.registry import architecture
from ecgdash.nets.se_resnext import SeResNeXt1d

RECORDS = [ecg(i, day=40 * i) for i in range(4)]


def made(net, shipped="heartwise-lvef40", **changed):
    """Return the engine of a network under a shipped spec with some keys changed."""
    spec = spec_from_text(spec_text(shipped, **changed), "spec.toml")
    raw = net if isinstance(net, bytes) else torchscript(net)
    own = own_threshold(0.3, "made up") if spec.threshold.value is None else None
    card = card_of_spec(spec, hashlib.sha256(raw).hexdigest(), own)
    return ExternalEngine(card, spec, lambda: open_network(raw, spec, spec.name))


@pytest.fixture(scope="module")
def heartwise():
    engine = made(Scorer())
    yield engine
    engine.close()


def heartwise_input(record):
    """Return what the source's code makes of one ECG: the scaling, then its factor."""
    leads = [record.leads.index(name) for name in CANONICAL_LEADS]
    x = record.signal_mv[leads].astype(np.float64)
    assert (record.sampling_hz, x.shape[1]) == (250, 2500)
    x = x * 3.003154 / np.abs(np.fft.fft(x[0])).mean()
    return x / 0.0048


def at_250(record):
    """Return the record with every second sample, as a 250 Hz recording of its own."""
    step = round(record.sampling_hz / 250)
    signal = record.signal_mv[:, ::step][:, :2500].copy()
    return replace(record, signal_mv=signal, sampling_hz=250.0)


def test_the_score_is_the_networks_on_the_sources_input(heartwise):
    record = at_250(RECORDS[0])
    x = torch.tensor(heartwise_input(record)[np.newaxis], dtype=torch.float32)
    with torch.no_grad():
        expected = float(Scorer().eval()(x))
    assert heartwise.base_logits([record])[0, 0, 0] == pytest.approx(expected, abs=1e-5)
    ref = [None]
    (scores,) = heartwise.score_course(ref, heartwise.base_logits([record]), [])
    assert scores[UNCALIBRATED].value == pytest.approx(1 / (1 + np.exp(-expected)), abs=1e-6)


def test_an_ecg_scores_the_same_alone_and_among_others_in_any_order(heartwise):
    alone = np.concatenate([heartwise.base_logits([record]) for record in RECORDS])
    np.testing.assert_array_equal(heartwise.base_logits(RECORDS), alone)
    np.testing.assert_array_equal(heartwise.base_logits(RECORDS[::-1])[::-1], alone)
    assert len(set(alone.ravel().tolist())) == len(RECORDS)


def test_the_scaling_is_made_per_ecg_so_gain_does_not_matter_but_the_others_do_not_either(
    heartwise,
):
    record = RECORDS[1]
    louder = replace(record, signal_mv=(record.signal_mv * 1.7).astype(np.float32))
    crops = heartwise.crops(louder)[0] * 0.0048
    assert np.abs(np.fft.fft(crops[0])).mean() == pytest.approx(3.003154, rel=1e-6)
    one, other = heartwise.base_logits([record, louder])[:, 0, 0]
    assert other == pytest.approx(one, abs=1e-4)


def test_a_process_that_was_ended_is_started_again_by_the_next_ecg():
    engine = made(Scorer())
    before = engine.base_logits(RECORDS[:1])
    first = engine.network
    first.close()
    np.testing.assert_array_equal(engine.base_logits(RECORDS[:1]), before)
    assert engine.network.pid != first.pid
    engine.close()


def test_limb_leads_that_are_absent_are_derived_from_i_and_ii(heartwise):
    record = RECORDS[2]
    kept = [i for i, name in enumerate(record.leads) if name not in ("III", "aVR", "aVL", "aVF")]
    fewer = replace(
        record, signal_mv=record.signal_mv[kept].copy(), leads=tuple(record.leads[i] for i in kept)
    )
    i, ii = (fewer.signal_mv[fewer.leads.index(name)].astype(float) for name in ("I", "II"))
    by_hand = {"III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    same = made(Scorer(), normalisation='"none"', normalise_to="", divide_by="1.0")
    crops = same.crops(at_250(fewer))[0]
    step = round(fewer.sampling_hz / 250)
    for name, expected in by_hand.items():
        row = crops[CANONICAL_LEADS.index(name)]
        np.testing.assert_allclose(row, expected[::step][:2500], atol=1e-6)


def test_leads_that_cannot_be_derived_are_named(heartwise):
    record = RECORDS[0]
    keep = record.leads.index("V1")
    rows = [i for i in range(len(record.leads)) if i != keep]
    leads = tuple(record.leads[i] for i in rows)
    fewer = replace(record, signal_mv=record.signal_mv[rows].copy(), leads=leads)
    with pytest.raises(InputDoesNotFitModel, match="heartwise-lvef40 needs lead V1"):
        heartwise.base_logits([fewer])


class Seen(torch.nn.Module):
    """Gives the sum of the sample (lead 2, time 7) of each layout."""

    def __init__(self, layout):
        super().__init__()
        self.layout = layout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.layout == "leads-samples":
            return x[:, 2, 7:8]
        if self.layout == "samples-leads":
            return x[:, 7, 2:3]
        return x[:, 0, 7, 2:3]


@pytest.mark.parametrize("layout", ["leads-samples", "samples-leads", "1-samples-leads"])
def test_every_layout_puts_the_same_sample_in_its_place(layout):
    engine = made(Seen(layout), layout=f'"{layout}"')
    found = engine.base_logits(RECORDS[:1])[0, 0, 0]
    assert found == pytest.approx(engine.crops(RECORDS[0])[0, 2, 7], rel=1e-6)
    engine.close()


def test_activations_give_the_logit_of_what_the_network_means():
    outputs = np.array([[0.3, -0.2, 1.1]])
    three = {"n_outputs": "3", "output_index": "2"}
    softmax = made(b"", activation='"softmax"', **three)
    exp = np.exp(outputs[0])
    p = exp[2] / exp.sum()
    assert softmax.logits(outputs)[0] == pytest.approx(np.log(p / (1 - p)), abs=1e-12)
    assert made(b"", **three).logits(outputs)[0] == 1.1
    plain = made(b"", activation='"none"')
    assert plain.logits(np.array([[0.8]]))[0] == pytest.approx(np.log(4), abs=1e-12)
    with pytest.raises(InputDoesNotFitModel, match=r"must lie in 0 to 1"):
        plain.logits(np.array([[1.8]]))


def test_known_architectures_load_safetensors_in_this_process():
    torch.manual_seed(9)
    net = SeResNeXt1d(architecture("demo", 12).config).eval()
    spec = {
        "format": '"safetensors"',
        "architecture": '"demo"',
        "n_samples": "2250",
        "crops": '"three"',
        "normalisation": '"none"',
        "normalise_to": "",
        "divide_by": "1.0",
    }
    engine = made(save(net.state_dict()), **spec)
    found = engine.base_logits(RECORDS[:1])[0, 0]
    with torch.no_grad():
        x = torch.tensor(engine.crops(RECORDS[0]), dtype=torch.float32)
        np.testing.assert_allclose(found, net(x).numpy()[:, 0], atol=1e-5)
    assert found.shape == (3,)
    assert engine.computed_by == f"torch {torch.__version__} float32 cpu"
    wrong = made(save({"a": torch.zeros(2)}), **spec)
    with pytest.raises(InputDoesNotFitModel, match="do not fit architecture demo"):
        wrong.base_logits(RECORDS[:1])


def test_the_history_network_reads_zeros_without_a_history_and_its_numbers_with_one():
    net = WithHistory().double()
    engine = made(net, "pulse-hf")
    row = [float(i) for i in range(15)]
    plain, told = engine.base_logits([RECORDS[0]]), engine.base_logits([RECORDS[0]], [row])
    with torch.no_grad():
        moved = float(net.prior(torch.tensor([row]).double() / 50) - net.prior.bias)
    assert told[0, 0, 0] - plain[0, 0, 0] == pytest.approx(moved, abs=1e-9)
    assert engine.computed_by == f"torch {torch.__version__} float64 cpu, TorchScript"
    engine.close()


def test_a_variant_of_the_card_without_a_fitted_history_is_refused():
    engine = made(b"")
    two = replace(
        engine.card,
        variants=(*engine.card.variants, replace(engine.card.variants[0], variant="recalibrated")),
    )
    with pytest.raises(WeightsMissing, match="no history term for recalibrated"):
        ExternalEngine(two, engine.spec, lambda: None)


@pytest.mark.parametrize(
    ("net", "changed", "found"),
    [
        (BatchScaled(), {}, r"gives the logits .* for the same ECG when asked beside other ECGs"),
        (Forgetless(), {}, r"gives the logits .* for the same ECG when asked twice"),
        (Broken(), {}, r"its output holds NaN or infinity"),
        (Deaf(), {}, r"gives the logit 0\.25 for each of 3 different ECGs"),
        (Scorer(3), {}, r"its output for 1 ECG has the shape \(1, 3\). Its spec tells 1"),
        (Scorer(), {"layout": '"samples-leads"'}, r"running it on input of shape .* failed"),
        (Scorer(), {"activation": '"none"'}, r"With activation 'none' it must lie in 0 to 1"),
    ],
    ids=["batch", "memory", "nan", "deaf", "shape", "layout", "activation"],
)
def test_a_network_that_does_not_do_what_its_spec_tells_is_refused(net, changed, found):
    engine = made(net, **changed)
    with pytest.raises(InputDoesNotFitModel, match=found) as caught:
        try_network(engine)
    assert "the file cannot be added" in caught.value.sentence
    engine.close()


@pytest.mark.parametrize(
    ("net", "shipped"),
    [(Scorer(), "heartwise-lvef40"), (Scorer(), "heartwise-lvef50"), (WithHistory(), "pulse-hf")],
)
def test_stand_ins_of_the_shipped_specs_signatures_are_accepted(net, shipped):
    engine = made(net.double() if shipped == "pulse-hf" else net, shipped)
    check, notes = try_network(engine)
    assert set(check.logits) == {UNCALIBRATED}
    assert notes == ()
    engine.close()
