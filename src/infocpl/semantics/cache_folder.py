"""Where the user's machine keeps what can be made again: embeddings and unpacked models."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["default_cache_folder"]


def default_cache_folder() -> Path:
    """Folder named by INFOCPL_CACHE, or the user's cache folder of the platform."""
    chosen = os.environ.get("INFOCPL_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "infocpl"
