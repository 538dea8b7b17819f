"""Weights trained with the authors' program, made into an InfoCPL with the same predictions.

Their aligner names its parts ``proj.{i}`` (projection of head i) and ``global_D.{i}.l0``, ``.l1``,
``.l2`` (its scorer). The k-series is no part of a checkpoint: heads believe 1, 5, 10, ...
descriptions unless told otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infocpl import __version__
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig, default_k_series
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.errors import CheckpointError, ConfigError, DataError, InfoCPLError
from infocpl.files import atomic_folder, read_json, sha256_file, write_json
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.config import from_dict, to_dict
from infocpl.training.torch_files import read_torch_tensors

__all__ = ["aligner_from_authors", "import_weights", "load_aligner"]

_KIND = "infocpl-aligner"
_FORMAT_VERSION = 1
_PART = re.compile(r"((?:.*\.)?)(proj|global_D)\.([0-9]{1,3})\.(.+)", re.DOTALL)
_OURS = {
    "proj": {"weight": "proj.weight", "bias": "proj.bias"},
    "global_D": {
        f"{layer}.{kind}": f"{layer}.{kind}"
        for layer in ("l0", "l1", "l2")
        for kind in ("weight", "bias")
    },
}
_SHOWN = 6  # names listed in a message


def aligner_from_authors(
    tensors: dict[str, Tensor],
    *,
    k_series: Sequence[int] | None = None,
    motion: bool = True,
    ignore: Sequence[str] = (),
) -> InfoCPL:
    """Build an InfoCPL from tensors in the authors' naming.

    Parameters
    ----------
    tensors : ``proj.{i}.weight``, ``global_D.{i}.l0.weight``, ...; all may share a prefix such as
        ``module.``
    k_series : descriptions believed by each head; default 1, 5, 10, ..., as many as there are
        heads
    motion : whether the motion description is added to the semantics, as the paper does
    ignore : beginnings of further names that may be left out, such as ``"encoder."``

    Returns
    -------
    the aligner in evaluation mode, in float64 if all its weights are, otherwise float32

    Raises
    ------
    CheckpointError : if names are missing or surplus, or a tensor has the wrong shape or is not
        finite
    ConfigError : if `k_series` does not fit the number of heads

    Examples
    --------
    >>> model = InfoCPL(InfoCPLConfig(visual_dim=4, text_dim=6, k_series=(1, 5), hidden=(8, 4)))
    >>> theirs = {}
    >>> for i, head in enumerate(model.granularity_heads()):
    ...     for name, tensor in head.state_dict().items():
    ...         part = f"proj.{i}" if name.startswith("proj") else f"global_D.{i}"
    ...         theirs[f"module.{part}.{name.removeprefix('proj.')}"] = tensor
    >>> aligner_from_authors(theirs).config == model.config
    True
    """
    state = _rename(tensors, tuple(ignore))
    heads = 1 + max(int(name.split(".")[1]) for name in state)
    series = default_k_series(5 * heads) if k_series is None else tuple(k_series)
    if len(series) != heads:
        raise ConfigError(f"the weights have {heads} heads, the k-series {len(series)} entries")
    wanted = [
        f"heads.{i}.{name}"
        for i in range(heads)
        for part in _OURS.values()
        for name in part.values()
    ]
    missing = [_theirs(name) for name in wanted if name not in state]
    if missing:
        raise CheckpointError(f"the weights lack {_some(missing)}")
    config = InfoCPLConfig(
        visual_dim=_matrix(state, "heads.0.proj.weight")[1],
        text_dim=_matrix(state, "heads.0.proj.weight")[0],
        k_series=series,
        hidden=(_matrix(state, "heads.0.l0.weight")[0], _matrix(state, "heads.0.l1.weight")[0]),
        motion=motion,
    )
    with torch.device("meta"):
        expected = {name: tuple(p.shape) for name, p in InfoCPL(config).state_dict().items()}
    for name, tensor in state.items():
        if tuple(tensor.shape) != expected[name]:
            raise CheckpointError(
                f"{_theirs(name)}: expected {expected[name]}, found {tuple(tensor.shape)}"
            )
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(f"{_theirs(name)}: expected finite numbers, found others")
    exact = all(tensor.dtype == torch.float64 for tensor in state.values())
    model = InfoCPL(config).to(torch.float64 if exact else torch.float32)
    model.load_state_dict(state)
    return model.eval()


def _rename(tensors: dict[str, Tensor], ignore: tuple[str, ...]) -> dict[str, Tensor]:
    state: dict[str, Tensor] = {}
    prefixes: set[str] = set()
    surplus = []
    for name, tensor in tensors.items():
        found = _PART.fullmatch(name)
        ours = _OURS[found[2]].get(found[4]) if found else None
        if found and ours:
            prefixes.add(found[1])
            state[f"heads.{int(found[3])}.{ours}"] = tensor
        elif not name.startswith(ignore):
            surplus.append(name)
    if not state:
        raise CheckpointError(
            f"no weights of an aligner, such as proj.0.weight, among {_some(sorted(tensors))}"
        )
    if len(prefixes) > 1:
        raise CheckpointError(f"weights of several aligners, under {_some(sorted(prefixes))}")
    if surplus:
        raise CheckpointError(f"weights that are no part of the aligner: {_some(surplus)}")
    return state


def _theirs(name: str) -> str:
    _, head, rest = name.split(".", 2)
    if rest.startswith("proj."):
        return f"proj.{head}.{rest.removeprefix('proj.')}"
    return f"global_D.{head}.{rest}"


def _matrix(state: dict[str, Tensor], name: str) -> tuple[int, int]:
    shape = tuple(state[name].shape)
    if len(shape) != 2 or min(shape) < 1:
        raise CheckpointError(f"{_theirs(name)}: expected a matrix, found {shape}")
    return shape


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:80]) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"


def import_weights(
    path: Path,
    folder: Path,
    *,
    k_series: Sequence[int] | None = None,
    motion: bool = True,
    ignore: Sequence[str] = (),
    overwrite: bool = False,
) -> InfoCPL:
    """Read the authors' checkpoint and write it to `folder` as config and safetensors.

    Parameters
    ----------
    path : state dict or whole module, written by ``torch.save``; it is never executed
    folder : target, whole or not at all; :func:`load_aligner` reads it
    k_series, motion, ignore : see :func:`aligner_from_authors`

    Raises
    ------
    CheckpointError : if the file cannot be read or does not hold an aligner
    OutputExistsError : if `folder` exists and `overwrite` is false
    """
    path = Path(path)
    tensors = read_torch_tensors(path)
    try:
        model = aligner_from_authors(tensors, k_series=k_series, motion=motion, ignore=ignore)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    config = {
        "kind": _KIND,
        "format_version": _FORMAT_VERSION,
        "infocpl_version": __version__,
        "aligner": to_dict(model.config),
        "source": {"file": path.name, "sha256": sha256_file(path)},
    }
    with atomic_folder(Path(folder), overwrite=overwrite) as temporary:
        write_json(temporary / "config.json", config)
        save_tensors(temporary / "model.safetensors", dict(model.state_dict()), {})
    return model


def load_aligner(folder: Path) -> StandardInfoCPL:
    """Load what :func:`import_weights` wrote, ready for features and text as they come.

    The authors neither standardise features nor centre text, and neither does this model.

    Raises
    ------
    CheckpointError : if the folder is missing, damaged, of a newer version or of another kind
    """
    folder = Path(folder)
    try:
        config: Any = read_json(folder / "config.json")
    except DataError as error:
        raise CheckpointError(f"{folder} is not an aligner folder: {error}") from error
    if not isinstance(config, dict) or config.get("kind") != _KIND:
        raise CheckpointError(f"{folder} is not an aligner folder: kind is not {_KIND!r}")
    if config.get("format_version") != _FORMAT_VERSION:
        raise CheckpointError(
            f"{folder} has format version {config.get('format_version')!r}; "
            f"this infocpl reads {_FORMAT_VERSION}"
        )
    tensors, _ = load_tensors(folder / "model.safetensors")
    try:
        shape = from_dict(InfoCPLConfig, config["aligner"])
        model = InfoCPL(shape)
        model.to(next(iter(tensors.values())).dtype).load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError, StopIteration, InfoCPLError) as error:
        raise CheckpointError(f"{folder}: config and weights do not fit: {error}") from error
    like = model.granularity_heads()[0].proj.weight
    mean, scale = like.new_zeros(shape.visual_dim), like.new_ones(shape.visual_dim)
    return StandardInfoCPL(model, mean, scale, None)
