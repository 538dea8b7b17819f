"""How long one clip takes: from a file of 50 raw frames to 60 ranked names, on one core.

    python benchmarks/latency.py

What a user calls (``Predictor.predict``) on a recording in the NTU format: reading, preparing,
encoding, measuring, scoring and the believed descriptions. The labels are described as ``predict``
describes them unless told otherwise: by all kinds of description, with traits. Their text is
embedded before, once. Weights are random; they do not change the time.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import tempfile
from pathlib import Path

import numpy as np
import torch
from machine import seconds

from infocpl.alignment.base import TextCentre, TextTable
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.measured import MeasuredTraits
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.apps.predict import Predictor
from infocpl.data.catalog import create_dataset
from infocpl.encoders.ensemble import create_members
from infocpl.evaluation.task_data import text_table
from infocpl.semantics import (
    DescriptionChoice,
    LabelSet,
    build_codebook,
    create_text_encoder,
)
from infocpl.skeleton.formats import write_ntu
from infocpl.skeleton.measures import MEASURES
from infocpl.skeleton.synthetic import generate_clip
from infocpl.training.pretrained import ZeroShotModel
from infocpl.training.stages import AlignmentConfig, EncoderConfig, TrainedEncoder

FRAMES, SEEN = 50, 55


# Encoders in a model, and the shape of its aligner: as `infocpl run` makes it, and the paper's.
MODELS = {
    "default": (2, AlignmentConfig()),
    "paper": (1, AlignmentConfig(max_k=60, hidden=(1024, 512), measured_weight=0.0)),
}


def describe(labels: LabelSet, choice: DescriptionChoice) -> TextTable:
    encoder = create_text_encoder("minilm")
    return text_table(choice.apply(build_codebook(labels, encoder, granularities=choice.kinds)))


def build(
    name: str, members: int, text: TextTable, choice: DescriptionChoice, config: AlignmentConfig
) -> ZeroShotModel:
    seen = text.subset(text.labels[:SEEN])
    centre = TextCentre.of(seen, config.trait_weight)
    torch.manual_seed(0)
    module = create_members(name, "ntu25", members).eval()
    shape = InfoCPLConfig(
        module.dim,
        centre.apply(seen).motion.shape[1],
        config.k_series(seen.mask.shape[1]),
        config.hidden,
    )
    mean, scale = torch.zeros(module.dim), torch.ones(module.dim)
    measured = None
    if config.measured_weight:
        count = len(MEASURES)
        measured = MeasuredTraits(
            mean=torch.zeros(count),
            scale=torch.ones(count),
            traits=torch.zeros(count),
            metric=torch.eye(count),
            length=torch.ones(()),
            offset=torch.zeros(()),
            gain=torch.ones(()),
        )
    return ZeroShotModel(
        encoder=TrainedEncoder(
            module, EncoderConfig(name=name, members=members), "ntu25", 64, seen.labels
        ),
        aligner=StandardInfoCPL(InfoCPL(shape), mean, scale, centre, measured),
        gamma=0.0,
        persons=2,
        text_encoder="minilm",
        text_encoder_id=create_text_encoder("minilm").id,
        descriptions=choice,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--encoders", nargs="+", default=["stgcn-small", "stgcn"])
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--kinds", nargs="+", default=[], help="of description (default: all)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    labels = LabelSet(create_dataset("ntu60").classes)
    choice = DescriptionChoice(tuple(options.kinds))
    text = describe(labels, choice)
    rows = text.mask.sum() / len(labels)
    print(
        f"{FRAMES} frames, {len(labels)} labels, {rows:.0f} descriptions a label of "
        f"{len(choice.kinds)} kinds, {options.threads} thread(s)"
    )
    titles = "".join(
        f"{title:>10}" for title in ("encoders", "heads", "set up s", "p50 ms", "p95 ms")
    )
    print(f"{'encoder':<16}{'model':<10}{titles}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "S001C001P001R001A010.skeleton")
        clip = generate_clip("wave the right hand", subject=1)
        cut = dataclasses.replace(
            clip,
            keypoints=clip.keypoints[:, :FRAMES],
            confidence=None if clip.confidence is None else clip.confidence[:, :FRAMES],
        )
        write_ntu(path, cut)
        for name, kind in itertools.product(options.encoders, options.models):
            members, config = MODELS[kind]
            model = build(name, members, text, choice, config)
            made: list[Predictor] = []
            once = seconds(lambda m=model, made=made: made.append(Predictor(m, labels)))
            for _ in range(5):
                made[0].predict(path)
            times = [seconds(lambda p=made[0]: p.predict(path)) for _ in range(options.repeats)]
            middle, late = np.percentile(times, [50, 95]) * 1e3
            heads = len(model.aligner.model.config.k_series)
            print(
                f"{name:<16}{kind:<10}{members:>10}{heads:>10}{once:>10.1f}{middle:>10.1f}{late:>10.1f}"
            )


if __name__ == "__main__":
    main()
