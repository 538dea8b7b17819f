"""Any clip as a numpy archive: the form to save poses in when no other format fits.

An ``.npz`` file with ``keypoints`` (M, T, V, C) and ``layout``, the name of a layout of this
package (:func:`~infocpl.skeleton.layout.list_layouts`; the ending ``-2d`` or ``-3d`` says that it
has other dimensions than usual). Besides, if wanted, ``fps`` (30), ``confidence`` (M, T, V) from 0
to 1, and ``units`` ("m", "px" or "normalised"). Coordinates have y up. To save::

    np.savez_compressed("clip.npz", keypoints=keypoints, layout="coco17", fps=25.0)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import (
    MAX_BODIES,
    MAX_FRAMES,
    check_coordinates,
    show,
)
from infocpl.skeleton.formats.npy_safe import (
    NpyHeader,
    is_npz,
    list_npz,
    pack_npz,
    read_npz_array,
)
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import Layout, create_layout
from infocpl.skeleton.sequence import UNITS, SkeletonSequence

__all__ = ["check_clip", "check_layout", "check_sizes", "check_writable", "read_npz", "write_npz"]

FPS = 30.0
_AXES = ("person", "frame", "joint", "coordinate")


def read_npz(path: str | Path) -> SkeletonSequence:
    """Read one clip from an archive.

    Returns
    -------
    SkeletonSequence : (M, T, V, C) on the layout the file names; without ``confidence`` a person is
        absent where all coordinates are zero; ``units`` are "m" for three dimensions and "px" for
        two unless the file says other

    Raises
    ------
    SkeletonFormatError : if the file is unreadable or damaged, lacks ``keypoints`` or ``layout``,
        inflates beyond the size limit (it is refused unread), or its arrays do not fit each other

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "clip.npz"
    ...     np.savez(path, keypoints=np.ones((1, 9, 17, 2)), layout="coco17", fps=25)
    ...     clip = read_npz(path)
    >>> clip.keypoints.shape, clip.layout.name, clip.fps, clip.units
    ((1, 9, 17, 2), 'coco17', 25.0, 'px')
    """
    path = Path(path)
    headers = list_npz(path)
    for name in ("keypoints", "layout"):
        if name not in headers:
            got = show(", ".join(headers)) if headers else "none at all"
            raise SkeletonFormatError(path, "arrays", f"one called {name}", got)
    layout = check_layout(path, _text(path, headers, "layout", ""))
    shape = headers["keypoints"].shape
    if len(shape) != 4 or shape[2:] != (len(layout), layout.dims):
        expected = f"(M, T, {len(layout)}, {layout.dims}) for layout {layout.name}"
        raise SkeletonFormatError(path, "keypoints shape", expected, str(shape))
    check_sizes(path, *shape[:2])
    keypoints = _numbers(path, "keypoints", headers)
    check_coordinates(keypoints, path, _AXES)
    confidence = None
    if "confidence" in headers:
        if headers["confidence"].shape != shape[:3]:
            got = str(headers["confidence"].shape)
            raise SkeletonFormatError(path, "confidence shape", str(shape[:3]), got)
        confidence = _numbers(path, "confidence", headers)
    fps = float(_numbers(path, "fps", headers)) if "fps" in headers else FPS
    units = _text(path, headers, "units", "m" if layout.dims == 3 else "px")
    return check_clip(path, keypoints, confidence, layout, fps, units)


def check_layout(path: Path, name: str) -> Layout:
    """The layout of that name; :class:`SkeletonFormatError` names the known ones."""
    try:
        return create_layout(name)
    except LayoutError as error:
        expected = str(error).rpartition("known: ")[2]
        raise SkeletonFormatError(path, "layout", f"one of {expected}", show(name)) from None


def check_sizes(path: Path, persons: int, frames: int) -> None:
    """Refuse clips of no or too many persons or frames."""
    for field, size, most in (("persons", persons, MAX_BODIES), ("frames", frames, MAX_FRAMES)):
        if not 1 <= size <= most:
            raise SkeletonFormatError(path, field, f"1 to {most:,}", f"{size:,}")


def check_clip(
    path: Path,
    keypoints: NDArray[np.float64],
    confidence: NDArray[np.float64] | None,
    layout: Layout,
    fps: float,
    units: str,
) -> SkeletonSequence:
    """Make a clip of what a file says, having looked at all but the coordinates.

    Persons without any confidence in a frame are absent there, with zero coordinates.

    Raises
    ------
    SkeletonFormatError : if a confidence, the frame rate or the units are out of range, or nobody
        is there
    """
    if not 1e-3 <= fps <= 1e5:
        raise SkeletonFormatError(path, "fps", "a number from 0.001 to 100,000", f"{fps:g}")
    if units not in UNITS:
        raise SkeletonFormatError(path, "units", f"one of {', '.join(UNITS)}", show(units))
    present: NDArray[np.bool_] = np.any(keypoints != 0, axis=(2, 3))
    if confidence is None:
        confidence = np.broadcast_to(present[..., None], keypoints.shape[:3]).astype(np.float64)
    good = (confidence >= 0) & (confidence <= 1)  # written so that NaN fails too
    if not good.all():
        place = np.argwhere(~good)[0].tolist()
        where = ", ".join(f"{a} {i}" for a, i in zip(_AXES, place, strict=False))
        got = f"{float(confidence[tuple(place)]):g}"
        raise SkeletonFormatError(path, "confidence", "a number from 0 to 1", got, where)
    present = np.any(confidence > 0, axis=2)
    if not present.any():
        raise SkeletonFormatError(path, "persons", "a person in some frame", "none")
    return SkeletonSequence(
        np.where(present[..., None, None], keypoints, 0.0).astype(np.float32),
        layout,
        confidence=confidence.astype(np.float32),
        fps=fps,
        units=units,
        source=str(path),
    )


def _numbers(path: Path, name: str, headers: dict[str, NpyHeader]) -> NDArray[np.float64]:
    if headers[name].dtype.kind not in "iuf" or (name == "fps" and headers[name].shape != ()):
        expected = "one number" if name == "fps" else "numbers"
        got = f"{headers[name].dtype.str} {headers[name].shape}"
        raise SkeletonFormatError(path, name, expected, got)
    # A signalling NaN would warn here; whoever asked looks for NaN.
    with np.errstate(invalid="ignore"):
        return read_npz_array(path, name).astype(np.float64)


def _text(path: Path, headers: dict[str, NpyHeader], name: str, default: str) -> str:
    if name not in headers:
        return default
    if headers[name].dtype.kind != "U" or headers[name].shape != ():
        got = f"{headers[name].dtype.str} {headers[name].shape}"
        raise SkeletonFormatError(path, name, "one piece of text", got)
    return str(read_npz_array(path, name))


def write_npz(path: str | Path, clip: SkeletonSequence) -> None:
    """Write any clip as a compressed archive, whole or not at all; reading returns it exactly.

    Raises
    ------
    LayoutError : if its layout is not one of this package
    SkeletonFormatError : if it has more frames or persons than a reader accepts, or nobody in it

    Examples
    --------
    >>> import tempfile
    >>> clip = SkeletonSequence(np.ones((1, 4, 25, 3)), create_layout("ntu25"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_npz(Path(folder) / "clip.npz", clip)
    ...     again = read_npz(Path(folder) / "clip.npz")
    >>> bool(np.array_equal(again.keypoints, clip.keypoints)), again.layout is clip.layout
    (True, True)
    """
    path = Path(path)
    check_writable(path, clip)
    arrays: dict[str, Any] = {
        "keypoints": clip.keypoints,
        "layout": np.array(clip.layout.name),
        "fps": np.array(clip.fps),
        "confidence": clip.confidence,
        "units": np.array(clip.units),
    }
    with atomic_path(path) as temporary:
        pack_npz(temporary, arrays)


def check_writable(path: Path, clip: SkeletonSequence) -> None:
    """Refuse what :func:`read_npz` would not read again.

    Raises
    ------
    LayoutError : if the clip's layout is not one of this package
    SkeletonFormatError : if it has too many frames or persons, too large coordinates, or nobody
    """
    if create_layout(clip.layout.name) != clip.layout:
        raise LayoutError(
            f"layout {clip.layout.name!r} of this clip is not the one known by that name; map it "
            "onto one of the package first"
        )
    check_sizes(path, clip.persons, clip.frames)
    check_coordinates(clip.keypoints.astype(np.float64), path, _AXES)
    if not clip.present.any():
        raise SkeletonFormatError(path, "persons", "a person in some frame", "none")


register_format(
    SkeletonFormat(
        name="npz",
        title="numpy archive with keypoints (M, T, V, C), layout and fps",
        layout=None,
        suffixes=(".npz",),
        read=read_npz,
        write=write_npz,
        sniff=lambda head: is_npz(head) and b"keypoints.npy" in head,
    )
)
