"""The authors' weights predict here what they predict there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infocpl.alignment.base import TextTable
from infocpl.alignment.infocpl import default_k_series
from infocpl.errors import CheckpointError, ConfigError, OutputExistsError
from infocpl.training.authors import aligner_from_authors, import_weights, load_aligner
from infocpl.training.pretrained import ZeroShotModel

State = dict[str, Tensor]


class Scorer(nn.Module):
    """The scorer as the authors name its layers."""

    def __init__(self, width: int, first: int, second: int) -> None:
        super().__init__()
        self.l0 = nn.Linear(width, first)
        self.l1 = nn.Linear(first, second)
        self.l2 = nn.Linear(second, 1)


class Authors(nn.Module):
    """Projection and scorer of every head, dense, as the paper writes them."""

    def __init__(self, heads: int, visual: int, text: int, first: int, second: int) -> None:
        super().__init__()
        self.proj = nn.ModuleList(nn.Linear(visual, text) for _ in range(heads))
        self.global_D = nn.ModuleList(Scorer(2 * text, first, second) for _ in range(heads))

    @torch.no_grad()
    def fused(self, v: Tensor, codebook: Tensor, series: tuple[int, ...]) -> Tensor:
        """Every clip with every class; the last row of the codebook is the motion."""
        total = torch.zeros(len(v), len(codebook), dtype=v.dtype)
        for proj, scorer, count in zip(self.proj, self.global_D, series, strict=True):
            h = proj(v)
            z = (h - h.mean(1, keepdim=True)) / (
                h.var(1, unbiased=False, keepdim=True) + 1e-5
            ).sqrt()
            for b in range(len(v)):
                for c, rows in enumerate(codebook):
                    a = rows[:-1] @ z[b] / rows.shape[1] ** 0.5
                    kept = a >= a.sort(descending=True).values[min(count, len(a)) - 1]
                    weight = torch.where(kept, a.exp(), 0.0)
                    e = (weight / weight.sum()) @ rows[:-1] + rows[-1]
                    x = torch.relu(scorer.l0(torch.cat([z[b], e])))
                    f = scorer.l2(torch.relu(scorer.l1(x)))
                    total[b, c] += torch.log(1 / (1 + torch.exp(-f[0])))
        return total


def table(codebook: Tensor) -> TextTable:
    names = tuple(f"class {i}" for i in range(len(codebook)))
    mask = torch.ones(codebook.shape[0], codebook.shape[1] - 1, dtype=torch.bool)
    return TextTable(names, codebook[:, :-1], mask, codebook[:, -1], codebook[:, -1])


@pytest.fixture(scope="module")
def theirs() -> Authors:
    torch.manual_seed(0)
    return Authors(heads=3, visual=5, text=7, first=9, second=4)


@pytest.fixture(scope="module")
def problem() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    codebook = nn.functional.normalize(torch.randn(4, 12, 7, generator=generator), dim=2)
    return torch.randn(6, 5, generator=generator), codebook


SAVED: dict[str, Callable[[Authors], object]] = {
    "state dict": lambda m: m.state_dict(),
    "whole module": lambda m: m,
    "data parallel": lambda m: nn.DataParallel(m),
    "data parallel state dict": lambda m: nn.DataParallel(m).state_dict(),
    "inside a larger network": lambda m: nn.ModuleDict({"aligner": m}),
    "training checkpoint": lambda m: {"model": m.state_dict(), "epoch": 7},
}


@pytest.mark.parametrize("way", SAVED)
def test_predictions_are_those_of_the_authors_however_they_were_saved(
    theirs: Authors, problem: tuple[Tensor, Tensor], tmp_path: Path, way: str
) -> None:
    v, codebook = problem
    torch.save(SAVED[way](theirs), tmp_path / "theirs.pt")
    import_weights(tmp_path / "theirs.pt", tmp_path / "ours")
    ours = load_aligner(tmp_path / "ours")
    expected = theirs.fused(v, codebook, (1, 5, 10))
    found = ours.scores(v, table(codebook))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    assert expected.std() > 1e-3
    assert torch.equal(found.argmax(1), expected.argmax(1))


def test_the_golden_case_comes_out_of_weights_in_the_naming_of_the_authors(
    golden_case: dict[str, np.ndarray], tmp_path: Path
) -> None:
    state: State = {}
    for name, value in golden_case.items():
        if name.startswith("head") and name.endswith(("_w", "_b")):
            head, layer = name.removeprefix("head").split(".")
            layer, kind = layer.rsplit("_", 1)
            part = f"proj.{head}" if layer == "proj" else f"global_D.{head}.{layer}"
            state[f"{part}.{'weight' if kind == 'w' else 'bias'}"] = torch.from_numpy(value)
    torch.save(state, tmp_path / "golden.pt")
    series = tuple(int(k) for k in golden_case["k_series"])
    import_weights(tmp_path / "golden.pt", tmp_path / "ours", k_series=series)
    model = load_aligner(tmp_path / "ours")
    text = table(torch.from_numpy(golden_case["codebook"]))
    visual = torch.from_numpy(golden_case["visual"])
    heads = model.model.head_scores(visual, text).detach().numpy()
    np.testing.assert_allclose(heads, golden_case["plain.scores"], rtol=0, atol=1e-9)
    found = model.scores(visual, text).numpy()
    np.testing.assert_allclose(found, golden_case["plain.fused"], rtol=0, atol=1e-9)


def test_a_saved_aligner_is_the_converted_one_to_the_bit(theirs, problem, tmp_path) -> None:
    v, codebook = problem
    torch.save(theirs.state_dict(), tmp_path / "a.pt")
    model = import_weights(tmp_path / "a.pt", tmp_path / "ours")
    loaded = load_aligner(tmp_path / "ours")
    assert loaded.model.config == model.config
    text = table(codebook)
    assert torch.equal(loaded.scores(v, text), model.scores(v, text).detach())
    config = json.loads((tmp_path / "ours" / "config.json").read_text())
    assert config["source"]["file"] == "a.pt"


@pytest.mark.parametrize(
    ("dtype", "becomes"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.float16, torch.float32),
        (torch.bfloat16, torch.float32),
    ],
    ids=str,
)
def test_weights_keep_the_precision_that_can_be_computed_with(
    theirs: Authors, dtype: torch.dtype, becomes: torch.dtype
) -> None:
    state = {name: tensor.to(dtype) for name, tensor in theirs.state_dict().items()}
    model = aligner_from_authors(state)
    assert {p.dtype for p in model.parameters()} == {becomes}
    assert torch.equal(model.heads[1].l0.weight, state["global_D.1.l0.weight"].to(becomes))


@pytest.mark.parametrize(("heads", "max_k"), [(12, 60), (5, 25), (3, 15), (1, 1)])
def test_the_k_series_is_the_published_one_of_as_many_heads(heads: int, max_k: int) -> None:
    state = Authors(heads, 2, 3, 4, 2).state_dict()
    assert aligner_from_authors(state).config.k_series == default_k_series(max_k)


def test_another_k_series_may_be_given_and_must_fit(theirs: Authors) -> None:
    state = theirs.state_dict()
    assert aligner_from_authors(state, k_series=[2, 4, 8]).config.k_series == (2, 4, 8)
    with pytest.raises(ConfigError, match="3 heads, the k-series 2 entries"):
        aligner_from_authors(state, k_series=[2, 4])


def test_motion_can_be_left_out(theirs: Authors, problem: tuple[Tensor, Tensor]) -> None:
    v, codebook = problem
    still = codebook.clone()
    still[:, -1] = 0
    model = aligner_from_authors(theirs.state_dict(), motion=False)
    expected = theirs.fused(v, still, (1, 5, 10))
    found = model.scores(v, table(codebook))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_names_to_be_ignored_are_left_out_and_no_others(theirs: Authors) -> None:
    state = {**theirs.state_dict(), "encoder.w": torch.ones(1), "gate.w": torch.ones(1)}
    with pytest.raises(CheckpointError, match=r"no part of the aligner: 'encoder\.w', 'gate\.w'"):
        aligner_from_authors(state)
    with pytest.raises(CheckpointError, match=r"no part of the aligner: 'gate\.w'"):
        aligner_from_authors(state, ignore=("encoder.",))
    aligner_from_authors(state, ignore=("encoder.", "gate."))


def without(name: str) -> Callable[[State], State]:
    return lambda state: {k: v for k, v in state.items() if k != name}


def instead(name: str, tensor: Tensor) -> Callable[[State], State]:
    return lambda state: {**state, name: tensor}


REFUSED: dict[str, tuple[Callable[[State], State], str]] = {
    "missing bias": (without("proj.1.bias"), "the weights lack 'proj.1.bias'"),
    "missing layer": (without("global_D.2.l1.weight"), "lack 'global_D.2.l1.weight'"),
    "missing first": (without("proj.0.weight"), "lack 'proj.0.weight'"),
    "a gap between heads": (instead("proj.4.bias", torch.ones(7)), "lack 'proj.3.weight'"),
    "many missing": (lambda s: {"proj.2.bias": s["proj.2.bias"]}, "and 17 more"),
    "surplus layer": (instead("global_D.0.l3.weight", torch.ones(1)), "'global_D.0.l3.weight'"),
    "surplus": (instead("logit_scale", torch.ones(1)), "no part of the aligner: 'logit_scale'"),
    "two aligners": (instead("old.proj.0.bias", torch.ones(7)), "several aligners"),
    "wrong width": (
        instead("global_D.1.l0.weight", torch.ones(9, 13)),
        "global_D.1.l0.weight: expected (9, 14), found (9, 13)",
    ),
    "a vector for a matrix": (instead("proj.0.weight", torch.ones(7)), "expected a matrix"),
    "not a number": (instead("proj.2.bias", torch.full((7,), torch.nan)), "finite"),
    "whole numbers": (instead("proj.2.bias", torch.ones(7, dtype=torch.int64)), "finite"),
    "nothing of an aligner": (lambda s: {"fc.weight": torch.ones(2)}, "such as proj.0.weight"),
    "nothing": (lambda s: {}, "no weights of an aligner"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_weights_that_do_not_fit_are_refused_by_name(theirs: Authors, case: str) -> None:
    change, words = REFUSED[case]
    with pytest.raises(CheckpointError) as caught:
        aligner_from_authors(change(dict(theirs.state_dict())))
    assert words in str(caught.value)


def test_nothing_is_written_when_the_weights_do_not_fit(theirs: Authors, tmp_path: Path) -> None:
    torch.save({"proj.0.weight": torch.ones(2, 2)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"a\.pt: the weights lack"):
        import_weights(tmp_path / "a.pt", tmp_path / "ours")
    assert [item.name for item in tmp_path.iterdir()] == ["a.pt"]


def test_an_existing_folder_is_replaced_only_when_asked(theirs: Authors, tmp_path: Path) -> None:
    torch.save(theirs.state_dict(), tmp_path / "a.pt")
    import_weights(tmp_path / "a.pt", tmp_path / "ours")
    with pytest.raises(OutputExistsError):
        import_weights(tmp_path / "a.pt", tmp_path / "ours")
    import_weights(tmp_path / "a.pt", tmp_path / "ours", k_series=(1, 2, 3), overwrite=True)
    assert load_aligner(tmp_path / "ours").model.config.k_series == (1, 2, 3)


def spoil_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: (f / "config.json").unlink(), "not an aligner folder"),
        (lambda f: (f / "config.json").write_text("[]"), "not an aligner folder"),
        (lambda f: spoil_config(f, kind="other"), "not an aligner folder"),
        (lambda f: spoil_config(f, format_version=2), "format version 2"),
        (lambda f: spoil_config(f, aligner={"visual_dim": 2}), "do not fit"),
        (lambda f: (f / "model.safetensors").unlink(), "does not exist"),
    ],
    ids=["no config", "a list", "another kind", "newer", "another shape", "no weights"],
)
def test_a_spoilt_aligner_folder_is_refused(theirs, tmp_path, spoil, words) -> None:
    torch.save(theirs.state_dict(), tmp_path / "a.pt")
    import_weights(tmp_path / "a.pt", tmp_path / "ours")
    spoil(tmp_path / "ours")
    with pytest.raises(CheckpointError, match=words):
        load_aligner(tmp_path / "ours")


def test_an_aligner_alone_is_not_taken_for_a_whole_model(theirs: Authors, tmp_path: Path) -> None:
    torch.save(theirs.state_dict(), tmp_path / "a.pt")
    import_weights(tmp_path / "a.pt", tmp_path / "ours")
    with pytest.raises(CheckpointError, match="aligner without an encoder"):
        ZeroShotModel.from_pretrained(tmp_path / "ours")
