"""Text encoders by name, by folder, by file; and the very one a model was trained with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infocpl.errors import SemanticsError
from infocpl.semantics.text.clip import CLIP_TYPES, ClipEncoder
from infocpl.semantics.text.folders import read_json
from infocpl.semantics.text.packaged import create_minilm, create_mpnet
from infocpl.semantics.text.precomputed import PrecomputedEncoder
from infocpl.semantics.text.protocol import TextEncoder
from infocpl.semantics.text.sentence import SentenceEncoder

__all__ = [
    "create_text_encoder",
    "list_text_encoders",
    "locate_text_encoder",
    "register_text_encoder",
    "restore_text_encoder",
]

_FACTORIES: dict[str, Callable[[], TextEncoder]] = {"minilm": create_minilm, "mpnet": create_mpnet}


def list_text_encoders() -> list[str]:
    """Names that :func:`create_text_encoder` knows, sorted; some need packages of their own.

    Examples
    --------
    >>> list_text_encoders()
    ['minilm', 'mpnet']
    """
    return sorted(_FACTORIES)


def register_text_encoder(name: str, factory: Callable[[], TextEncoder]) -> None:
    """Make `factory` available under `name`; :class:`SemanticsError` if the name is taken."""
    if name in _FACTORIES:
        raise SemanticsError(f"text encoder {name!r} is registered already")
    _FACTORIES[name] = factory


def create_text_encoder(source: str | Path = "minilm") -> TextEncoder:
    """Create a text encoder by name, from a model's folder, or from vectors made elsewhere.

    Parameters
    ----------
    source : one of

        - a name from :func:`list_text_encoders`: ``"minilm"`` (all-MiniLM-L6-v2, D = 384) comes
          with this package, ``"mpnet"`` (all-mpnet-base-v2, D = 768) needs packages of its own;
        - a folder with a sentence-transformers model or a CLIP model of transformers;
        - a ``.npy`` file with a file of labels beside it: see :class:`.PrecomputedEncoder`

    Raises
    ------
    SemanticsError : if there is no such thing, or nothing usable in it

    Examples
    --------
    >>> encoder = create_text_encoder("minilm")
    >>> encoder.dim
    384
    """
    if isinstance(source, str) and source in _FACTORIES:
        return _FACTORIES[source]()
    path = Path(source)
    if path.is_dir():
        return _open_folder(path)
    if path.suffix == ".npy":
        return PrecomputedEncoder(path)
    raise SemanticsError(
        f"unknown text encoder {str(source)!r}: expected one of "
        f"{', '.join(list_text_encoders())}, a folder with a sentence-transformers or CLIP model, "
        "or a .npy file of vectors with its labels"
    )


def _open_folder(folder: Path) -> TextEncoder:
    if (folder / "modules.json").is_file():
        return SentenceEncoder(folder)
    config = folder / "config.json"
    if config.is_file():
        record = read_json(config)
        kind = record.get("model_type") if isinstance(record, dict) else None
        if kind in CLIP_TYPES:
            return ClipEncoder(folder)
        raise SemanticsError(
            f"{folder}: expected a sentence-transformers folder with modules.json, or a CLIP "
            f"model, got a model of type {kind!r}, which does not say how a sentence becomes one "
            "vector"
        )
    raise SemanticsError(
        f"{folder}: expected a sentence-transformers folder with modules.json, or a CLIP model "
        "with config.json, got neither"
    )


def locate_text_encoder(source: str | Path) -> str:
    """What to write down so that `source` is found again from any folder: a name, or a whole path.

    Examples
    --------
    >>> locate_text_encoder("minilm")
    'minilm'
    """
    if isinstance(source, str) and source in _FACTORIES:
        return source
    return str(Path(source).absolute())


def restore_text_encoder(
    source: str, encoder_id: str, *, given: str | Path | None = None
) -> TextEncoder:
    """The text encoder that a model was trained with, or none at all.

    Parameters
    ----------
    source : name or path that was written down with the model
    encoder_id : its identity then
    given : where it is now, if the user says so (any name, folder or file)

    Raises
    ------
    SemanticsError : if it is not where it was, with what to pass instead; or if the weights or
        settings there are others
    """
    try:
        encoder = create_text_encoder(source if given is None else given)
    except SemanticsError as error:
        if given is not None:
            raise
        raise SemanticsError(
            f"the model was trained with text encoder {encoder_id} from {source}, which cannot be "
            f"used here ({error}); if it lies elsewhere now, pass that place as text encoder "
            "(--text-encoder)"
        ) from error
    if not _same_weights(encoder.id, encoder_id):
        raise SemanticsError(
            f"the model was trained with text encoder {encoder_id}; the one here is {encoder.id}: "
            "its vectors mean something else; pass the place of the right one as text encoder "
            "(--text-encoder)"
        )
    return encoder


def _same_weights(one: str, other: str) -> bool:
    """Whether two ids end in the same hashes: what a model is called does not change a vector."""
    first, second = one.split(":"), other.split(":")
    return one == other or (len(first) == len(second) == 3 and first[1:] == second[1:])
