"""How well measured traits agree with what generated actions are known to be.

    python benchmarks/measure_quality.py [--layout kinect20] [--subjects 12] [--seed 0]

Generates the synthetic actions (people and performances of ``infocpl demo``), measures every clip,
and prints for each measure how the means of the classes correlate with the trait in their lexicon,
over all classes (the number behind it is that of the classes which have the trait; "-" where either
is the same for all). Then names the clips of one person by measured traits alone, all classes
standing for the seen ones: they give zero, unit and errors of the measures, and nothing else is
learned or chosen. A seed prints the same figures again.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from numpy.typing import NDArray

from infocpl.alignment.base import TextTable
from infocpl.alignment.measured_fit import fit_measured
from infocpl.data.loading import prepare_clip
from infocpl.semantics.lexicon import load_lexicon
from infocpl.semantics.traits import TRAIT_DIMENSIONS, trait_vector
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.measures import MEASURES, measure_clips
from infocpl.skeleton.synthetic import SyntheticAction, generate_clip, list_actions

Floats = NDArray[np.float64]


def generate(
    actions: list[SyntheticAction], subjects: int, replications: int, seed: int, layout: str
) -> NDArray[np.float32]:
    """(N, 2, 50, V, 3) prepared clips, class after class."""
    return np.stack(
        [
            prepare_clip(
                generate_clip(action, subject, replication, seed),
                frames=50,
                layout=layout,
                persons=2,
            )
            for action in actions
            for subject in range(1, subjects + 1)
            for replication in range(1, replications + 1)
        ]
    )


def agreement(measures: Floats, labels: NDArray[np.int64], traits: Floats) -> Floats:
    """(Q,) correlation of class means with traits (C, Q); NaN where either does not vary."""
    means = np.stack([measures[labels == label].mean(axis=0) for label in range(len(traits))])
    means, told = means - means.mean(axis=0), traits - traits.mean(axis=0)
    power = (means**2).sum(axis=0) * (told**2).sum(axis=0)
    safe = np.where(power > 1e-12, power, np.nan)
    found: Floats = (means * told).sum(axis=0) / np.sqrt(safe)
    return found


def name_clips(measures: Floats, labels: NDArray[np.int64], traits: Floats) -> NDArray[np.bool_]:
    """(N,) whether measures alone give the right class, all classes standing for the seen ones."""
    classes = len(traits)
    text = TextTable(
        tuple(map(str, range(classes))),
        torch.zeros(classes, 1, 1),
        torch.ones(classes, 1, dtype=torch.bool),
        torch.zeros(classes, 1),
        torch.zeros(classes, 1),
        traits=torch.from_numpy(traits).float(),
    )
    clips, known = torch.from_numpy(measures).float(), torch.from_numpy(labels)
    scores = fit_measured(clips, known, text).scores(clips, text).numpy()
    right: NDArray[np.bool_] = scores.argmax(axis=1) == labels
    return right


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layout", default="ntu25", help="a spatial one")
    parser.add_argument("--subjects", type=int, default=12)
    parser.add_argument("--replications", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    actions = list_actions()
    started = time.perf_counter()
    clips = generate(actions, options.subjects, options.replications, options.seed, options.layout)
    generated = time.perf_counter()
    measures = measure_clips(clips, create_layout(options.layout)).astype(np.float64)
    seconds = time.perf_counter() - generated
    labels = np.repeat(np.arange(len(actions)), options.subjects * options.replications)
    entries = {entry.name: entry for entry in load_lexicon("synthetic").entries}
    vectors = np.stack([trait_vector(entries[action.name].traits) for action in actions])
    told = vectors[:, [TRAIT_DIMENSIONS.index(name) for name in MEASURES]].astype(np.float64)
    print(
        f"{len(clips)} clips of {len(actions)} classes on {options.layout}, seed {options.seed}; "
        f"generated in {generated - started:.1f} s, measured in {seconds:.1f} s "
        f"({1000 * seconds / len(clips):.2f} ms a clip)"
    )
    found = agreement(measures, labels, told)
    for column in sorted(range(len(MEASURES)), key=lambda i: np.nan_to_num(found[i], nan=2.0)):
        value = "    -" if np.isnan(found[column]) else f"{found[column]:5.2f}"
        count = int((told[:, column] > 0).sum())
        print(f"{MEASURES[column]:28s} {value}  {count:2d} classes")
    known = found[~np.isnan(found)]
    print(
        f"{len(known)} of {len(MEASURES)} measures vary with their trait: correlation "
        f"{np.median(known):.2f} in the middle, {(known > 0.5).sum()} above 0.5, "
        f"{(known <= 0).sum()} not positive"
    )
    alone = np.array([action.persons == 1 for action in actions])
    rows = alone[labels]
    numbers = np.cumsum(alone) - 1
    right = name_clips(measures[rows], numbers[labels[rows]], vectors[alone].astype(np.float64))
    print(
        f"named by measures alone: {100 * right.mean():.1f} % of {rows.sum()} clips of "
        f"{alone.sum()} classes of one person (chance {100 / alone.sum():.1f} %)"
    )


if __name__ == "__main__":
    main()
