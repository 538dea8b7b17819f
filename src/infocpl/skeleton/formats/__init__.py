"""Foreign skeleton files: one module per format, found by name or by content."""

from __future__ import annotations

from infocpl.skeleton.formats.ntu import ntu_name, parse_ntu_name, read_ntu, write_ntu
from infocpl.skeleton.formats.nw_ucla import read_nw_ucla
from infocpl.skeleton.formats.registry import (
    SkeletonFormat,
    get_format,
    list_formats,
    read_skeleton,
    register_format,
)
from infocpl.skeleton.formats.sbu import read_sbu
from infocpl.skeleton.formats.utd_mhad import read_utd_mhad

__all__ = [
    "SkeletonFormat",
    "get_format",
    "list_formats",
    "ntu_name",
    "parse_ntu_name",
    "read_ntu",
    "read_nw_ucla",
    "read_sbu",
    "read_skeleton",
    "read_utd_mhad",
    "register_format",
    "write_ntu",
]
