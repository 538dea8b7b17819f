"""Name the action in skeleton files, given any list of names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from infocpl.apps.evidence import believed_descriptions, shares
from infocpl.data.loading import prepare_clip
from infocpl.errors import InfoCPLError, LayoutError
from infocpl.evaluation.evaluate import describe_for
from infocpl.evaluation.task_data import text_table
from infocpl.semantics import Codebook, LabelSet, Lexicon
from infocpl.semantics.describing import is_composed
from infocpl.semantics.labels import read_labels
from infocpl.semantics.prompts import NAME_ONLY
from infocpl.skeleton.formats import read_skeleton
from infocpl.skeleton.layout import create_layout
from infocpl.training.pretrained import ZeroShotModel

__all__ = ["Prediction", "Predictor", "read_labels"]


@dataclass(frozen=True)
class Prediction:
    """Ranked names of one file.

    Attributes
    ----------
    path : the file
    ranked : (name, share) pairs, best first; shares sum to 1 over the label set
    persons, frames, layout : what was read
    heads : for the best name, the descriptions each head believed
    traits : for the best name, the measured traits in which the clip agrees with it most: ``name``
        and ``agreement``, what it adds to their score; none for a model without measured traits
    sources : name to where its description comes from
    """

    path: str
    ranked: tuple[tuple[str, float], ...]
    persons: int
    frames: int
    layout: str
    heads: tuple[dict[str, Any], ...]
    traits: tuple[dict[str, Any], ...]
    sources: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "path": self.path,
            "ranked": [{"name": name, "share": share} for name, share in self.ranked],
            "persons": self.persons,
            "frames": self.frames,
            "layout": self.layout,
            "heads": list(self.heads),
            "traits": list(self.traits),
            "sources": dict(self.sources),
        }


class Predictor:
    """A model and a label set whose text is embedded once.

    Parameters
    ----------
    model : trained model
    labels : the names to choose from
    lexicons : the user's own, asked before the shipped ones
    text_encoder : name or place of the text encoder (default: where it was during training)
    progress : called with the number of sentences embedded, and of all that the cache lacks

    Raises
    ------
    SemanticsError : see :func:`.describe_for`
    """

    def __init__(
        self,
        model: ZeroShotModel,
        labels: LabelSet,
        *,
        lexicons: Sequence[Lexicon] = (),
        text_encoder: str | Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.model = model
        self.codebook: Codebook = describe_for(
            model, labels, lexicons=lexicons, text_encoder=text_encoder, progress=progress
        )
        self._text = text_table(self.codebook)
        self._labels = model.compile(self._text)

    @property
    def sources(self) -> dict[str, str]:
        """For each label where its description comes from."""
        return dict(zip(self.codebook.labels.names, self.codebook.sources, strict=True))

    @property
    def name_only(self) -> tuple[str, ...]:
        """Labels that no description is known of: only their names speak for them."""
        return tuple(name for name, source in self.sources.items() if source == NAME_ONLY)

    @property
    def composed(self) -> dict[str, str]:
        """Labels that the motion grammar described, and how sure it is."""
        return {name: source for name, source in self.sources.items() if is_composed(source)}

    def predict(self, path: Path, *, format: str | None = None) -> Prediction:
        """Rank the labels for one file.

        Raises
        ------
        SkeletonFormatError : if the file cannot be read
        LayoutError : if its joints cannot be mapped to the model's
        """
        clip = read_skeleton(path, format)
        trained = self.model.encoder
        try:
            ready = prepare_clip(
                clip, frames=trained.frames, layout=trained.layout, persons=self.model.persons
            )
        except LayoutError as error:
            raise LayoutError(
                f"{path}: this clip has layout {clip.layout.summary}; the encoder was trained on "
                f"{create_layout(trained.layout).summary}: {error}"
            ) from error
        features = self.model.encode(ready[np.newaxis])
        scores = self._labels.scores(features)[0].double().numpy()
        if not np.isfinite(scores).all():
            # argmax of NaN is the first label: never pass that on as an answer.
            raise InfoCPLError(f"{path}: the model gives no finite score for this clip")
        share = shares(scores, self.model.aligner.voices)
        order = np.argsort(-scores, kind="stable")
        names = self._text.labels
        heads = believed_descriptions(
            self.model.aligner, features[0], self._text, self.codebook, names[int(order[0])]
        )
        return Prediction(
            path=str(path),
            ranked=tuple((names[int(i)], float(share[int(i)])) for i in order),
            persons=clip.persons,
            frames=clip.frames,
            layout=clip.layout.name,
            heads=tuple(heads),
            traits=self._reasons(features[0], int(order[0])),
            sources=self.sources,
        )

    def _reasons(self, feature: Tensor, label: int) -> tuple[dict[str, Any], ...]:
        measured = self.model.aligner.measured
        if measured is None:
            return ()
        found = measured.reasons(feature, self._text, label)
        return tuple({"name": name, "agreement": round(part, 4)} for name, part in found)


def predict_files(
    predictor: Predictor, paths: Sequence[Path], *, format: str | None = None
) -> tuple[list[Prediction], list[InfoCPLError]]:
    """Predict every file that can be read; a bad one does not cost the others their answers."""
    done: list[Prediction] = []
    failed: list[InfoCPLError] = []
    for path in paths:
        try:
            done.append(predictor.predict(path, format=format))
        except InfoCPLError as error:
            failed.append(error)
    return done, failed
