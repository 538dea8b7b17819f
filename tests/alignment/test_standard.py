"""A trained InfoCPL prepares features and text by itself, and can say what it believed."""

from __future__ import annotations

import dataclasses

import torch

from infocpl.alignment.base import TextCentre, TextTable, standardise
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.standard import StandardInfoCPL

SERIES = (1, 3, 6)


def make_text(seed: int, classes: int = 5) -> TextTable:
    generator = torch.Generator().manual_seed(seed)

    def rows(*shape: int) -> torch.Tensor:
        free = torch.randn(*shape, 9, generator=generator, dtype=torch.float64)
        return torch.nn.functional.normalize(free, dim=-1)

    mask = torch.ones(classes, 6, dtype=torch.bool)
    mask[1, 2:] = False
    labels = tuple(f"class {i}" for i in range(classes))
    descriptions = rows(classes, 6) * mask.unsqueeze(2)
    return TextTable(labels, descriptions, mask, rows(classes), rows(classes))


def build(*, centred: bool = True) -> tuple[StandardInfoCPL, torch.Tensor]:
    torch.manual_seed(0)
    features = torch.randn(30, 7, dtype=torch.float64) * 4 + 2
    shape = InfoCPLConfig(visual_dim=7, text_dim=9, k_series=SERIES, hidden=(11, 5))
    mean, scale = standardise(features)
    centre = TextCentre.of(make_text(0)) if centred else None
    return StandardInfoCPL(InfoCPL(shape).double(), mean, scale, centre), features


def test_raw_features_and_raw_text_are_prepared_before_scoring() -> None:
    standard, features = build()
    text = make_text(1)
    mean, std = features.mean(0), ((features - features.mean(0)) ** 2).mean(0).sqrt()
    expected = standard.model.scores(
        (features - mean) / std, TextCentre.of(make_text(0)).apply(text)
    )
    torch.testing.assert_close(standard.scores(features, text), expected.detach())


def test_without_a_centre_text_is_used_as_it_comes() -> None:
    standard, features = build(centred=False)
    text = make_text(1)
    assert standard.text(text) is text
    expected = standard.model.scores(standard.features(features), text)
    torch.testing.assert_close(standard.scores(features, text), expected.detach())


def test_scores_carry_no_gradient_and_the_model_is_in_evaluation_mode() -> None:
    standard, features = build()
    assert not standard.scores(features, make_text(1)).requires_grad
    assert not standard.model.training


def test_a_score_depends_on_its_own_clip_and_label_only() -> None:
    standard, features = build()
    text = make_text(1)
    together = standard.scores(features, text)
    alone = standard.scores(features[3:4], text.subset(("class 2",)))
    torch.testing.assert_close(together[3:4, 2:3], alone)


def believed_by_loops(standard: StandardInfoCPL, clip: torch.Tensor, text: TextTable, label: int):
    """For each head, (row, weight) of what it keeps, strongest first."""
    ready = standard.text(text)
    x = (clip - standard.feature_mean) / standard.feature_scale
    for head in standard.model.heads:
        h = head.proj.weight @ x + head.proj.bias
        z = (h - h.mean()) / torch.sqrt(((h - h.mean()) ** 2).mean() + 1e-5)
        rows = [k for k in range(6) if text.mask[label, k]]
        fit = {k: float(z @ ready.descriptions[label, k]) / 3.0 for k in rows}  # sqrt(9)
        kept = sorted(rows, key=lambda k: -fit[k])[: head.count]
        total = sum(torch.exp(torch.tensor(fit[k])) for k in kept)
        yield [(k, float(torch.exp(torch.tensor(fit[k])) / total)) for k in kept]


def test_beliefs_are_the_best_fitting_descriptions_of_each_head_strongest_first() -> None:
    standard, features = build()
    text = make_text(1)
    for label in range(5):
        found = standard.beliefs(features[4], text, label, most=6)
        assert [belief.k for belief in found] == list(SERIES)
        with torch.no_grad():
            expected = list(believed_by_loops(standard, features[4], text, label))
        for belief, kept in zip(found, expected, strict=True):
            assert belief.rows == tuple(row for row, _ in kept)
            weights = torch.tensor(belief.weights)
            torch.testing.assert_close(weights, torch.tensor([w for _, w in kept]))
            assert abs(float(weights.sum()) - 1) < 1e-6


def test_no_more_beliefs_are_listed_than_asked_for() -> None:
    standard, features = build()
    full = standard.beliefs(features[0], make_text(1), 0, most=6)
    short = standard.beliefs(features[0], make_text(1), 0, most=2)
    for long, cut in zip(full, short, strict=True):
        assert cut.rows == long.rows[:2]
        assert cut.weights == long.weights[:2]


def test_beliefs_weigh_descriptions_as_they_are_weighed_among_all_labels() -> None:
    standard, features = build()
    text = dataclasses.replace(make_text(1), temperature=0.2)
    ready, x = standard.text(text), standard.features(features[2:3])
    for label in range(5):
        found = standard.beliefs(features[2], text, label, most=6)
        for belief, head in zip(found, standard.model.granularity_heads(), strict=True):
            weights = head.attend(head.project(x), ready)[0, label].detach()
            expected = weights.sort(descending=True).values[: len(belief.rows)]
            torch.testing.assert_close(torch.tensor(belief.weights).double(), expected)


def test_an_absent_description_is_never_listed() -> None:
    standard, features = build()
    for belief in standard.beliefs(features[0], make_text(1), 1, most=6):
        assert set(belief.rows) <= {0, 1}
