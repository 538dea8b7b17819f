"""What every test may ask for: real data if it is there, a seeded generator, a quiet cache."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from infocpl.alignment.base import TextTable
    from infocpl.data import ClipStore
    from infocpl.evaluation.config import ExperimentConfig
    from infocpl.evaluation.task_data import TaskData
    from infocpl.semantics import Codebook
    from infocpl.training.pretrained import ZeroShotModel

ROOT = Path(__file__).resolve().parents[1]


def find_data() -> Path:
    """Folder with the real datasets: INFOCPL_DATA, or shared/data beside the checkout."""
    return Path(os.environ.get("INFOCPL_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The real datasets; skips when absent, fails when they were promised."""
    folder = find_data()
    if not folder.is_dir():
        reason = f"no real data at {folder} (set INFOCPL_DATA)"
        if os.environ.get("INFOCPL_REQUIRE_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def golden_case(real_data: Path) -> dict[str, np.ndarray]:
    """The reference numbers of InfoCPL, which lie beside the real data."""
    path = real_data.parent / "golden" / "infocpl_reference.npz"
    if not path.is_file():
        if os.environ.get("INFOCPL_REQUIRE_DATA") == "1":
            pytest.fail(f"no golden case at {path}")
        pytest.skip(f"no golden case at {path}")
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240601)


class TrigramEncoder:
    """A text encoder without weights: which letter triples a text holds, hashed to 48 numbers."""

    id = "trigrams"
    dim = 48

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.full((len(texts), self.dim), 1e-3)
        for row, text in zip(rows, texts, strict=True):
            padded = f"  {text.casefold()} "
            for start in range(len(padded) - 2):
                row[zlib.crc32(padded[start : start + 3].encode()) % self.dim] += 1.0
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="session")
def trigrams() -> TrigramEncoder:
    return TrigramEncoder()


SUBJECTS = (1, 2, 3, 9)
"""Three who train and one who tests: the smallest crowd in which calibration meets a stranger."""


@pytest.fixture(scope="session")
def synthetic_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One NTU file of every synthetic action by four people."""
    from infocpl.skeleton.formats import ntu_name, write_ntu
    from infocpl.skeleton.synthetic import generate_clip, list_actions

    folder = tmp_path_factory.mktemp("synthetic") / "files"
    folder.mkdir()
    for action in list_actions():
        for subject in SUBJECTS:
            name = ntu_name(setup=1, camera=1, subject=subject, replication=1, action=action.id)
            write_ntu(folder / f"{name}.skeleton", generate_clip(action, subject))
    return folder


@pytest.fixture(scope="session")
def text_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder for text embeddings shared by the session, so that no sentence is embedded twice."""
    folder = tmp_path_factory.mktemp("text-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFOCPL_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def start_infocpl(text_cache: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start the command line in a process of its own, on one processor thread."""
    environment = {
        **os.environ,
        "INFOCPL_CACHE": str(text_cache),
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    program = "import sys; from infocpl.apps.cli import main; sys.exit(main())"

    def start(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )

    return start


@pytest.fixture(scope="session")
def run_infocpl(
    start_infocpl: Callable[..., subprocess.Popen[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command line in a process of its own to its end."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        process = start_infocpl(*arguments)
        out, err = process.communicate(timeout=900)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return run


@dataclass(frozen=True)
class TrainedRun:
    """A finished ``infocpl run``: the folder it wrote, how it was started, what it printed."""

    out: Path
    arguments: tuple[str, ...]
    printed: subprocess.CompletedProcess[str]


@pytest.fixture(scope="session")
def trained_run(
    synthetic_files: Path,
    run_infocpl: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> TrainedRun:
    """One tiny experiment of two seeds on the synthetic files, shared by the session."""
    out = tmp_path_factory.mktemp("trained") / "out"
    arguments = ("run", "--dataset", "synthetic", "--data", str(synthetic_files))
    arguments += ("--split", "demo/51-8", "--seeds", "2", "--preset", "tiny", "--threads", "1")
    # A few kinds of description: embedding all of them would take longer than the training.
    arguments += ("--granularities", "definition", "part", "objects")
    done = run_infocpl(*arguments, "--out", out)
    if done.returncode:
        pytest.fail(f"infocpl run ended with {done.returncode}: {done.stderr}")
    return TrainedRun(out, arguments, done)


@pytest.fixture(scope="session")
def small_store(synthetic_files: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    """The synthetic files as a clip store."""
    from infocpl.data import convert_dataset, create_dataset

    target = tmp_path_factory.mktemp("store") / "synthetic"
    return convert_dataset(create_dataset("synthetic"), synthetic_files, target)


SEEN = (
    "raise the left arm forward",
    "raise both arms overhead",
    "wave the right hand",
    "punch forward with the left arm",
    "kick forward with the right leg",
    "circle the left arm",
    "sit down",
    "nod the head",
)
UNSEEN = ("raise the right arm forward", "wave the left hand", "kick forward with the left leg")


@pytest.fixture(scope="session")
def small_codebook(trigrams: TrigramEncoder) -> Codebook:
    from infocpl.semantics import build_codebook

    return build_codebook((*SEEN, *UNSEEN), trigrams)


@pytest.fixture(scope="session")
def one_thread() -> Iterator[None]:
    """One processor thread: tiny tensors gain nothing by two, and numbers become repeatable."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def small_task(small_store: ClipStore, small_codebook: Codebook, one_thread: None) -> TaskData:
    """Eight seen and three unseen actions by four people, twelve frames a clip."""
    from infocpl.data import Split, SplitIndices, prepare_clips, split_indices
    from infocpl.evaluation.task_data import TaskData

    split = Split("synthetic", "own", "8-3", seen=SEEN, unseen=UNSEEN, source="these tests")
    clips = prepare_clips(small_store, frames=12, persons=1)
    indices = split_indices(small_store, split)
    used = [indices.train, indices.seen_test, indices.unseen_test]
    # Only the clips of the task are kept: nothing else may matter to it.
    kept = clips.subset(np.concatenate(used))
    ends = np.cumsum([len(part) for part in used])
    parts = np.split(np.arange(ends[-1]), ends[:-1])
    return TaskData.create(kept, split, SplitIndices(*parts), small_codebook)


@pytest.fixture(scope="session")
def small_config() -> ExperimentConfig:
    """Enough training to change every weight, and no more."""
    from dataclasses import replace

    from infocpl.evaluation.config import create_preset

    tiny = create_preset("tiny")
    encoder = replace(tiny.encoder, fit=replace(tiny.encoder.fit, batch_size=8, precision="fp32"))
    return replace(tiny, frames=12, encoder=encoder, alphas=(0.1, 1.0, 10.0), folds=2)


@pytest.fixture(scope="session")
def train_small_model(small_task: TaskData) -> Callable[..., ZeroShotModel]:
    """Train both stages for one epoch on the seen actions, with any text of those actions.

    With `measured` the model compares measured traits with those of the text as well.
    """
    import torch

    from infocpl.skeleton.layout import create_layout
    from infocpl.skeleton.measures import measure_clips
    from infocpl.training.config import FitConfig
    from infocpl.training.pretrained import ZeroShotModel
    from infocpl.training.stages import (
        AlignmentConfig,
        EncoderConfig,
        encode_clips,
        train_encoder,
        train_infocpl,
    )

    fit = FitConfig(epochs=1, batch_size=8, lr=1e-3, warmup=0)
    seen = small_task.split.seen
    clips = small_task.clips.keypoints[small_task.train]
    rows = small_task.rows(small_task.train, seen)
    encoder = train_encoder(clips, rows, seen, EncoderConfig(fit=fit), layout="ntu25", seed=0)
    features = encode_clips(encoder.module, clips)

    def train(text: TextTable, *, measured: bool = False, **facts: Any) -> ZeroShotModel:
        config = AlignmentConfig(hidden=(16, 8), fit=fit)
        labels = torch.from_numpy(rows)
        measures = None
        if measured:
            measures = torch.from_numpy(measure_clips(clips, create_layout("ntu25")))
        aligner = train_infocpl(
            features, labels, text.subset(seen), config, seed=0, measures=measures
        )
        return ZeroShotModel(encoder=encoder, aligner=aligner, gamma=0.125, persons=1, **facts)

    return train
