"""The page as a reader and a browser meet it: sections, numbers, escaping, refusals."""

from __future__ import annotations

import copy
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infocpl.apps.report import render_report, write_report
from infocpl.errors import ConfigError, DataError
from infocpl.skeleton.layout import create_layout

HOSTILE = "a \"b\" 'c' <script>alert(1)</script> </script> & $x_1$ -->"
UNSEEN = ["throw", "bowling", "jog in place", "knock on door", "stand to sit"]


# --- samples ------------------------------------------------------------------------------------


def swing(layout_name: str, persons: int, frames: int, phase: float) -> np.ndarray:
    """(M, T, V, 3) metres: people who walk on the spot while both arms swing."""
    layout = create_layout(layout_name)
    rest = {"pelvis": (0.0, 0.95, 0.0)}
    offsets = {
        "spine": (0, 0.2, 0), "upper_spine": (0, 0.28, 0), "neck": (0, 0.08, 0), "head": (0, 0.2, 0),
        "shoulder": (0.19, 0.0, 0), "elbow": (0.06, -0.27, 0), "wrist": (0.02, -0.24, 0), "hand": (0, -0.09, 0),
        "hand_tip": (0, -0.08, 0), "thumb": (0.03, -0.04, -0.04),
        "hip": (0.1, -0.05, 0), "knee": (0.02, -0.42, 0), "ankle": (0, -0.4, 0), "foot": (0, -0.06, -0.13),
    }  # fmt: skip
    parent = dict(layout.bones)
    out = np.zeros((persons, frames, len(layout), 3))
    for person in range(persons):
        for frame in range(frames):
            angle = math.sin(2 * math.pi * frame / 30 + phase + person)
            place = dict(rest)
            waiting = [joint for joint in layout.joints if joint not in place]
            while waiting:
                joint = waiting.pop(0)
                if parent[joint] not in place:
                    waiting.append(joint)
                    continue
                side, _, stem = joint.partition("_")
                sign = {"left": -1.0, "right": 1.0}.get(side, 0.0)
                x, y, z = offsets.get(joint, offsets.get(stem, (0, 0.05, 0)))
                x *= sign or 1.0
                lift = {"elbow": 1.3, "wrist": 2.0, "hand": 2.0, "knee": 0.5, "ankle": -0.1}
                turn = lift.get(stem, 0.0) * max(0.0, angle * sign)
                y, z = y * math.cos(turn) - z * math.sin(turn), y * math.sin(turn) + z * math.cos(turn)
                base = place[parent[joint]]
                place[joint] = (base[0] + x, base[1] + y, base[2] + z)
            for index, joint in enumerate(layout.joints):
                x, y, z = place[joint]
                out[person, frame, index] = (x + person * 0.9 + 1.0, y - 0.2, z + 2.5)
    return out


def make_clip(
    number: int, *, layout_name: str = "kinect20", persons: int = 1, correct: bool = True
) -> dict[str, Any]:
    layout = create_layout(layout_name)
    true = UNSEEN[number % len(UNSEEN)]
    predicted = true if correct else UNSEEN[(number + 1) % len(UNSEEN)]
    scores = {name: 0.1 for name in UNSEEN}
    scores[predicted] = 0.5
    scores[true] += 0.1
    return {
        "name": f"a{number}_s1_t{number}",
        "true": true,
        "predicted": predicted,
        "correct": correct,
        "scores": scores,
        "layout": layout_name,
        "bones": [[layout.index(a), layout.index(b)] for a, b in layout.bones],
        "parts": {part: layout.part_index(part) for part in layout.parts},
        "fps": 15,
        "keypoints": swing(layout_name, persons, 45, number).tolist(),
        "heads": [
            {
                "k": k,
                "believed": [
                    {
                        "text": f"The right arm swings forward past the shoulder, variant {i + 1}.",
                        "granularity": ("part", "whole", "phase")[i % 3],
                        "weight": 2 * (k - i) / (k * (k + 1)),
                    }
                    for i in range(k)
                ],
            }
            for k in (1, 3, 5)
        ]
        if number % 2 == 0
        else None,
    }


def make_method(title: str, level: float, classes: list[str]) -> dict[str, Any]:
    rng = np.random.default_rng(len(title))
    size = len(classes)
    counts = rng.integers(0, 9, (size, size)) + np.eye(size, dtype=int) * int(30 * level)
    seen = np.linspace(0.85, 0.0, 40)
    unseen = level * (1 - (seen / 0.85) ** 3)
    keys = ("top1", "top5", "per_class_mean")
    mean = {f"zsl.{key}": value for key, value in zip(keys, (level, 1.0, level - 0.02), strict=True)}
    mean |= {"gzsl.seen": 0.5123, "gzsl.unseen": level - 0.2, "gzsl.harmonic": level - 0.15}
    mean |= {"gzsl.ausuc": level / 2}
    runs = [
        {
            "seed": seed,
            "zsl": {"top1": level + step, "top5": 1.0, "per_class_mean": level},
            "gzsl": {"seen": 0.5, "unseen": 0.4, "harmonic": 0.44, "gamma": 0.3, "ausuc": 0.31},
            "selected": {"epoch": 40 + seed},
        }
        for seed, step in enumerate((-0.04, 0.0, 0.04))
    ]
    recall = {
        name: {"recall": float(counts[i, i] / counts[i].sum()), "clips": int(counts[i].sum())}
        for i, name in enumerate(classes)
    }
    return {
        "title": title,
        "per_seed": runs,
        "mean": mean,
        "sd": {key: 0.0321 for key in mean},
        "interval": {"zsl.top1": {"by": "class", "low": level - 0.2, "high": level + 0.2}},
        "per_class": recall,
        "confusion": {"labels": classes, "counts": counts.tolist()},
        "curve": {
            "gamma": np.linspace(-1, 1, 40).tolist(),
            "seen": seen.tolist(),
            "unseen": unseen.tolist(),
        },
        "oracle": None,
    }


def make_result(classes: list[str] | None = None, rule: str = "pseudo-unseen") -> dict[str, Any]:
    classes = classes or UNSEEN
    seen = ["swipe left", "wave", "clap", "draw circle (clockwise)", "tennis serve", "squat"]
    methods = {
        "infocpl": make_method("InfoCPL", 0.6123, classes),
        "ridge": make_method("Ridge, mean of all descriptions", 0.5456, classes),
        "ridge-names": make_method("Ridge, class names only", 0.4389, classes),
    }
    return {
        "schema": "infocpl-result/1",
        "infocpl_version": "0.1.0",
        "created": "2026-01-02T03:04:05Z",
        "command": "infocpl run --dataset utd-mhad --split purls/22-5",
        "dataset": {"name": "utd-mhad", "title": "UTD-MHAD", "clips": 861, "classes": 27,
                    "layout": "kinect20", "store_hash": "5a" * 32},
        "split": {"id": "purls/22-5", "family": "purls", "seen": seen, "unseen": classes,
                  "hash": "7c" * 32},
        "protocol": {"name": "xsub-75", "train_clips": 520, "seen_test_clips": 180,
                     "unseen_clips": 160},
        "features": {"encoder": "stgcn", "streams": ["joint", "bone", "motion"], "dim": 256,
                     "parameters": 123456, "training_classes": list(seen)},
        "text": {"encoder": "minilm (all-MiniLM-L6-v2)", "dim": 384, "codebook_hash": "1b" * 32,
                 "lexicon_hash": "9e" * 32, "descriptions": 30,
                 "granularities": {"part": 6, "whole": 3},
                 "sources": dict.fromkeys([*seen, *classes], "lexicon utd-mhad")},
        "selection": {"rule": rule, "folds": 2, "details": [{"fold": 0, "epoch": 40}]},
        "seeds": [0, 1, 2],
        "chance": {"zsl": 1 / len(classes)},
        "methods": methods,
        "published": [{"method": "PURLS", "top1": 0.5751, "source": "another paper, table 4"}],
        "environment": {"python": "3.11.9", "torch": "2.6", "threads": 2, "device": "cpu"},
        "seconds": {"total": 91.2, "encode": 30.5},
    }  # fmt: skip
