"""Explaining leaves nothing on the served network, not even while it scores elsewhere."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from captum.attr._core import deep_lift

from ecgdash.explain.deeplift import explain_crops
from ecgdash.explain.detached import structural_copy
from ecgdash.explain.gradcam import grad_cam
from ecgdash.nets.se_resnext import GatedProduct, MaxOverTime, MaxPool3, Square
from tests.explain.nets import lively_net

CROPS = np.random.default_rng(1).normal(size=(2, 12, 600)).astype(np.float32)

METHODS = {
    "deeplift": explain_crops,
    "block 4": grad_cam,
    "block 3": lambda net, crops, variant: grad_cam(net, crops, variant, 3),
}


def assert_untouched(net, before) -> None:
    for module in net.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
        assert not module._backward_pre_hooks
        # captum keeps what it saw on the modules it hooked
        assert not {"input", "output", "input_ref", "output_ref"} & set(vars(module))
        if isinstance(module, GatedProduct | MaxPool3 | MaxOverTime):
            assert not module.complete
    assert Square not in deep_lift.SUPPORTED_NON_LINEAR
    for name, parameter in net.named_parameters():
        assert parameter.grad is None, name
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, before[name]), name


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("training", [False, True])
def test_nothing_is_left_after_success_and_failure(method, training) -> None:
    net = lively_net(stem_pool=True).train(training)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    METHODS[method](net, CROPS, "masked")
    assert_untouched(net, before)
    with pytest.raises(RuntimeError):
        METHODS[method](net, CROPS[:, :5], "masked")
    assert_untouched(net, before)
    assert all(module.training is training for module in net.modules())


def test_a_failure_amid_the_backward_pass_leaves_nothing(monkeypatch) -> None:
    def fail(*_args, **_named):
        raise ValueError("amid")

    net = lively_net(stem_pool=True)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    monkeypatch.setattr(deep_lift, "nonlinear", fail)
    with pytest.raises(ValueError, match="amid"):
        explain_crops(net, CROPS, "masked")
    assert_untouched(net, before)


def test_another_thread_scores_bitwise_the_same_meanwhile() -> None:
    net = lively_net(stem_pool=True)
    x = torch.from_numpy(CROPS)

    def score() -> torch.Tensor:
        with torch.inference_mode():
            return net(x)

    alone = score()
    n_meanwhile = 0
    with ThreadPoolExecutor(2) as pool:
        running = [
            pool.submit(METHODS[method], net, CROPS, "masked") for method in list(METHODS) * 5
        ]
        while not all(task.done() for task in running):
            assert torch.equal(score(), alone)
            n_meanwhile += 1
        maps = [task.result() for task in running]
    assert n_meanwhile >= 5
    one, again = maps[0], maps[3]
    np.testing.assert_array_equal(one.values, again.values)


def test_a_structural_copy_shares_every_tensor_and_no_module() -> None:
    net = lively_net(stem_pool=False)
    copied = structural_copy(net)
    for name, tensor in (*copied.named_parameters(), *copied.named_buffers()):
        owner, _, leaf = name.rpartition(".")
        assert getattr(net.get_submodule(owner), leaf) is tensor
    assert not {id(m) for m in net.modules()} & {id(m) for m in copied.modules()}
