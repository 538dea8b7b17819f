"""Every file below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from infocpl.errors import DataError

__all__ = ["walk_files"]


def walk_files(folder: Path) -> Iterator[Path]:
    """Every file below a folder; a folder that cannot be opened is not passed over silently."""

    def refuse(error: OSError) -> None:
        raise DataError(f"{error.filename} cannot be read: {error.strerror or error}") from error

    for parent, _, names in os.walk(folder, onerror=refuse):
        for name in names:
            yield Path(parent, name)
