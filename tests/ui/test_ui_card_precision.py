"""The line about precision says what is off, and by how much it errs."""

from dataclasses import replace

from ecgdash.inference.precision_record import PrecisionRecord, PrecisionResult
from ecgdash.ui.card_precision import precision_words

FAILED = PrecisionResult("openvino", "bfloat16", "2026.4.1", 50, 0.0398, 0.3, 3, 2)
FOUND = PrecisionRecord("f", "w", "SIMULATED: 7 ECGs", 7, 5, (FAILED,))


def test_a_failure_is_off_with_its_figures() -> None:
    assert precision_words(FOUND) == (
        "Precision: float32. Lower ones may err by 0.02 logits near a threshold. bfloat16 with "
        "OpenVINO 2026.4.1: off, up to 0.040, 2 scores on another side. SIMULATED: 7 ECGs."
    )


def test_a_pass_and_nothing_measured_are_told_apart() -> None:
    passed = replace(FAILED, error_near_logit=0.01, n_changed_beyond=0)
    assert "passed, up to 0.010." in precision_words(replace(FOUND, results=(passed,)))
    on_gpu = replace(passed, backend="torch-cuda", precision="tf32", processor="Some GPU")
    assert "tf32 with PyTorch 2026.4.1 on Some GPU: passed" in precision_words(
        replace(FOUND, results=(on_gpu,))
    )
    assert "not measured" in precision_words(None)
