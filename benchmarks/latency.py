"""How long one clip takes: from a file of 50 raw frames to 60 ranked names, on one core.

    python benchmarks/latency.py

What a user calls (``Predictor.predict``) on a recording in the NTU format: reading, preparing,
encoding, scoring and the believed descriptions. The text of the labels is embedded before, once.
Weights are random; they do not change the time.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import torch
from machine import seconds

from infocpl.alignment.base import TextCentre
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig, default_k_series
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.apps.predict import Predictor
from infocpl.data.catalog import create_dataset
from infocpl.encoders.registry import create_encoder
from infocpl.evaluation.task_data import text_table
from infocpl.semantics import LabelSet, build_codebook, create_text_encoder
from infocpl.semantics.prompts import GRANULARITIES
from infocpl.skeleton.formats import write_ntu
from infocpl.skeleton.synthetic import generate_clip
from infocpl.training.pretrained import ZeroShotModel
from infocpl.training.stages import EncoderConfig, TrainedEncoder

FRAMES, SEEN = 50, 55


def build(name: str, labels: LabelSet, kinds: tuple[str, ...]) -> ZeroShotModel:
    text_encoder = create_text_encoder("minilm")
    text = text_table(build_codebook(labels, text_encoder, granularities=kinds))
    seen = text.subset(labels.names[:SEEN])
    torch.manual_seed(0)
    module = create_encoder(name, "ntu25").eval()
    series = tuple(k for k in default_k_series(60) if k <= text.mask.shape[1])
    shape = InfoCPLConfig(module.dim, text.motion.shape[1], series)
    mean, scale = torch.zeros(module.dim), torch.ones(module.dim)
    return ZeroShotModel(
        encoder=TrainedEncoder(module, EncoderConfig(name=name), "ntu25", 64, seen.labels),
        aligner=StandardInfoCPL(InfoCPL(shape), mean, scale, TextCentre.of(seen)),
        gamma=0.0,
        persons=2,
        text_encoder="minilm",
        text_encoder_id=text_encoder.id,
        granularities=kinds,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--encoders", nargs="+", default=["stgcn-small", "stgcn"])
    parser.add_argument("--kinds", nargs="+", default=list(GRANULARITIES), help="of description")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    labels = LabelSet(create_dataset("ntu60").classes)
    print(f"{FRAMES} frames, {len(labels)} labels, {options.threads} thread(s)")
    print(f"{'encoder':<16}{'set up s':>10}{'p50 ms':>10}{'p95 ms':>10}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "S001C001P001R001A010.skeleton")
        clip = generate_clip("wave the right hand", subject=1)
        cut = dataclasses.replace(
            clip,
            keypoints=clip.keypoints[:, :FRAMES],
            confidence=None if clip.confidence is None else clip.confidence[:, :FRAMES],
        )
        write_ntu(path, cut)
        for name in options.encoders:
            model = build(name, labels, tuple(options.kinds))
            made: list[Predictor] = []
            once = seconds(lambda m=model, made=made: made.append(Predictor(m, labels)))
            for _ in range(5):
                made[0].predict(path)
            times = [seconds(lambda p=made[0]: p.predict(path)) for _ in range(options.repeats)]
            middle, late = np.percentile(times, [50, 95]) * 1e3
            print(f"{name:<16}{once:>10.1f}{middle:>10.1f}{late:>10.1f}")


if __name__ == "__main__":
    main()
