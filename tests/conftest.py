"""What every test may ask for: real data if it is there, a seeded generator, a quiet cache."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

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
