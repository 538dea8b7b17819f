"""The command line: ``infocpl demo``, ``convert``, ``run`` and so on."""

from __future__ import annotations

from infocpl.apps.cli.main import main

__all__ = ["main"]
