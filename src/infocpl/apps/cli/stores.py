"""``infocpl verify``."""

from __future__ import annotations

import time

from infocpl.apps.cli.data_commands import Verify

__all__ = ["run_verify"]


def run_verify(options: Verify) -> int:
    """Recompute every hash; a changed byte is an error that names its file."""
    from infocpl.apps.progress import Reporter
    from infocpl.data import open_store

    store = open_store(options.store)
    started = time.monotonic()
    with Reporter().count(f"verifying {options.store}") as progress:
        store.verify(progress)
    size = sum(entry["bytes"] for entry in store.manifest["files"].values())
    print(
        f"{options.store}: {store.kind.title}, {len(store)} entries of {store.dataset}, "
        f"{size / 1e6:.1f} MB, unchanged ({time.monotonic() - started:.1f} s)"
    )
    print(f"hash: {store.hash}")
    return 0
