"""What comes from PyTorch and is odd: told in one line, or read as PyTorch reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import derive
from derive.cli import main
from derive.errors import InputError

torch = pytest.importorskip("torch")
nn = torch.nn

#: What stands as `0.weight` in a state dict, and what is said of it.
WEIGHTS: dict[str, tuple[Callable[[], Any], str]] = {
    "huge": (lambda: torch.zeros(1).expand(30000, 30000), "more than 200,000 numbers"),
    "huge and sparse": (
        lambda: torch.sparse_coo_tensor(torch.zeros(2, 1, dtype=torch.long), torch.ones(1), (2**30, 2**20)),
        "more than 200,000 numbers",
    ),
    "empty": (lambda: torch.zeros(0, 0), "0.weight: no numbers in it"),
    "meta": (lambda: torch.zeros(2, 3, device="meta"), "0.weight: a tensor on the device meta"),
    "complex": (lambda: torch.zeros(2, 3, dtype=torch.complex64), "0.weight: not a tensor of floating-point numbers"),
    "bool": (lambda: torch.zeros(2, 3, dtype=torch.bool), "0.weight: not a tensor of floating-point numbers"),
    "int": (lambda: torch.ones(2, 3, dtype=torch.int64), "0.weight: not a tensor of floating-point numbers"),
    "sparse": (lambda: torch.ones(2, 3).to_sparse(), "0.weight: not a tensor of real numbers"),
    "csr": (lambda: torch.ones(2, 3).to_sparse_csr(), "0.weight: not a tensor of real numbers"),
    "nested": (lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), "0.weight: not a tensor of real"),
    "quantized": (lambda: torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8), "0.weight: not a tensor"),
    "NaN": (lambda: torch.full((2, 3), float("nan")), "0.weight: NaN or infinity"),
    "single": (lambda: torch.tensor(1.0), "is no linear layer"),
}


def from_file(state: dict[str, Any], path: Path) -> Any:
    torch.save(state, path)
    return CliRunner().invoke(main, ["from-torch", str(path), "-o", "-"])


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.filterwarnings("ignore")
def test_an_odd_tensor_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    make, problem = WEIGHTS[name]
    done = from_file({"0.weight": make()}, tmp_path / "model.pt")
    assert done.exit_code == 2 and len(done.output.splitlines()) == 1 and problem in done.output


@pytest.mark.parametrize("bias", [1.0, [[1.0, 2.0]], [1.0], []])
def test_a_bias_has_a_number_for_every_unit(bias: Any, tmp_path: Path) -> None:
    state = {"0.weight": torch.ones(2, 3), "0.bias": torch.tensor(bias)}
    done = from_file(state, tmp_path / "model.pt")
    assert done.exit_code == 2 and len(done.output.splitlines()) == 1


@pytest.mark.parametrize(
    "weight",
    [
        torch.tensor([[0.5, 0.25, -2]]).half(),
        torch.tensor([[0.5, 0.25, -2]]).bfloat16(),
        torch.tensor([[0.5], [0.25], [-2]]).T,
        torch._neg_view(torch.tensor([[-0.5, -0.25, 2]])),
    ],
)
def test_a_tensor_is_read_however_it_is_laid_out(weight: Any, tmp_path: Path) -> None:
    done = from_file({"0.weight": weight}, tmp_path / "model.pt")
    assert done.exit_code == 0 and "weight: [[0.5, 0.25, -2.0]]" in done.output


# modules ------------------------------------------------------------------------------------------------------------------
class Dropping(nn.Module):  # type: ignore[misc, name-defined]
    """Drops units in training where no layer says so."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.two(nn.functional.dropout(self.one(x), 0.5, self.training))


class Doubled(nn.Linear):  # type: ignore[misc, name-defined]
    def forward(self, x: Any) -> Any:
        return 2 * super().forward(x)


class Pair(nn.Module):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(3, 2)

    def forward(self, x: Any) -> Any:
        return self.one(x), x


def with_(change: Callable[[Any], Any]) -> Any:
    """Two layers, of which something was changed."""
    module = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    change(module)
    return module


def shared_norm() -> Any:
    norm = nn.BatchNorm1d(3, affine=False)
    return nn.Sequential(nn.Linear(3, 3), norm, nn.Linear(3, 3), norm)


ODD: dict[str, tuple[Callable[[], Any], str]] = {
    "empty": (nn.Sequential, "Sequential"),
    "no module": (lambda: len, "expected a module of torch.nn"),
    "a list": (lambda: nn.ModuleList([nn.Linear(3, 2)]), "ModuleList of inputs (5, 3)"),
    "forward hook": (lambda: with_(lambda m: m[0].register_forward_hook(lambda *a: 2 * a[2])), "0 (Linear): it has"),
    "backward hook": (lambda: with_(lambda m: m[1].register_full_backward_hook(print)), "1 (Linear): it has hooks"),
    "hook of a tensor": (lambda: with_(lambda m: m[0].weight.register_hook(lambda g: 2 * g)), "0.weight: it has hooks"),
    "forward of its own": (lambda: with_(lambda m: setattr(m[0], "forward", lambda x: 2 * x)), "0 (Linear): its for"),
    "tied": (lambda: with_(lambda m: setattr(m[1], "weight", m[0].weight)), "1 (Linear): what it learns stands twice"),
    "shared statistics": (shared_norm, "3 (BatchNorm1d): what it learns stands twice"),
    "weight norm": (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), "parametrizations.weight"),
    "dropout unsaid": (Dropping, "Dropping: its forward is not its children"),
    "forward overridden": (lambda: nn.Sequential(Doubled(3, 2)), "0 (Doubled)"),
    "two outputs": (Pair, "Pair: its forward is not its children"),
    "other inputs": (lambda: nn.Linear(4, 2), "Linear of inputs (5, 3)"),
    "all in a row": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Flatten(0)), "1 (Flatten): start_dim=0"),
    "no units": (lambda: nn.Linear(3, 0), "Linear.weight: no numbers in it"),
    "no numbers": (lambda: nn.Linear(3, 2, device="meta"), "device meta"),
    "very many": (lambda: nn.Linear(3, 100_000), "more than 200,000 numbers"),
    "infinite": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Hardtanh(-float("inf"), 1)), "1.min_val: NaN or infinity"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("ignore")
def test_an_odd_module_is_named(name: str) -> None:
    make, problem = ODD[name]
    with pytest.raises(InputError) as refusal:
        derive.from_torch(make(), torch.rand(5, 3))
    assert problem in str(refusal.value)


LIKE_TORCH: dict[str, tuple[Callable[[], Any], float]] = {
    "without bias": (lambda: nn.Linear(3, 2, bias=False), 1e-5),
    "float16": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Tanh()).half(), 5e-3),
    "bfloat16": (lambda: nn.Sequential(nn.Linear(3, 2), nn.LayerNorm(2), nn.Sigmoid()).bfloat16(), 5e-2),
    "in place": (lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2)), 1e-5),
    "in eval mode": (lambda: Dropping().eval(), 1e-5),
    "options": (lambda: nn.Sequential(nn.Linear(3, 2), nn.Hardtanh(-0.2, 0.3), nn.Flatten(-1)), 1e-5),
}


@pytest.mark.parametrize("name", LIKE_TORCH)
def test_an_unusual_module_gives_what_pytorch_gives(name: str) -> None:
    make, tolerance = LIKE_TORCH[name]
    torch.manual_seed(2)
    module, x = make(), torch.rand(5, 3) - 0.5
    given, state = x.clone(), torch.get_rng_state()
    file = derive.from_torch(module, x, torch.zeros(5, 2), nn.MSELoss())
    assert torch.equal(x, given) and torch.equal(torch.get_rng_state(), state)
    loss = (module(given.to(next(module.parameters()).dtype)).double() ** 2).mean()
    assert float(derive.solve(file)["L"]) == pytest.approx(loss.item(), rel=tolerance)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.rand(2, 2, 3),
        lambda: torch.tensor(1.0),
        lambda: torch.zeros(0, 3),
        lambda: torch.rand(4),
        lambda: torch.ones(2, 3).to_sparse_csr(),
        lambda: "abc",
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_inputs_that_do_not_fit_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(InputError):
        derive.from_torch(nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=-1)), make())


def test_a_list_of_numbers_is_taken_as_inputs() -> None:
    assert derive.from_torch(nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=-1)), [1, 2, 3])["inputs"] == [1, 2, 3]
