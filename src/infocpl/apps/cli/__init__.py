"""The command line: ``infocpl demo | convert | run | evaluate | predict | info``."""

from __future__ import annotations

from infocpl.apps.cli.main import main

__all__ = ["main"]
