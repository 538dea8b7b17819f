"""Foreign skeleton files: one module per format, found by name or by content.

:func:`read_skeleton` reads a file that holds one clip, :func:`open_collection` opens one that holds
many.
"""

from __future__ import annotations

from infocpl.skeleton.formats.aimclr import AimclrCollection, open_aimclr, write_aimclr
from infocpl.skeleton.formats.bvh import read_bvh, write_bvh
from infocpl.skeleton.formats.coco_json import read_coco_json, write_coco_json
from infocpl.skeleton.formats.collection import (
    CollectionFormat,
    SkeletonCollection,
    get_collection_format,
    is_collection,
    list_collection_formats,
    open_collection,
    register_collection_format,
)
from infocpl.skeleton.formats.ctrgcn import CtrgcnCollection, open_ctrgcn, write_ctrgcn
from infocpl.skeleton.formats.feature_folder import (
    FeatureFolder,
    FeaturePart,
    is_feature_folder,
    read_feature_folder,
    write_feature_folder,
)
from infocpl.skeleton.formats.hdm05 import read_hdm05
from infocpl.skeleton.formats.mediapipe import read_mediapipe, write_mediapipe
from infocpl.skeleton.formats.msr_action3d import read_msr_action3d, write_msr_action3d
from infocpl.skeleton.formats.ntu import ntu_name, parse_ntu_name, read_ntu, write_ntu
from infocpl.skeleton.formats.nw_ucla import read_nw_ucla, write_nw_ucla
from infocpl.skeleton.formats.openpose import read_openpose, write_openpose
from infocpl.skeleton.formats.pku_collection import PkuMmdCollection, PkuRecording, open_pku_mmd
from infocpl.skeleton.formats.pku_mmd import (
    PkuInterval,
    read_pku_labels,
    read_pku_mmd,
    write_pku_labels,
    write_pku_mmd,
)
from infocpl.skeleton.formats.plain_csv import read_csv, write_csv
from infocpl.skeleton.formats.plain_npz import read_npz, write_npz
from infocpl.skeleton.formats.pyskl import PysklCollection, open_pyskl, write_pyskl
from infocpl.skeleton.formats.registry import (
    SkeletonFormat,
    get_format,
    list_formats,
    read_skeleton,
    register_format,
)
from infocpl.skeleton.formats.sbu import read_sbu, write_sbu
from infocpl.skeleton.formats.utd_mhad import read_utd_mhad, write_utd_mhad
from infocpl.skeleton.formats.utkinect import read_utkinect, write_utkinect
from infocpl.skeleton.formats.utkinect_clips import open_utkinect

__all__ = [
    "AimclrCollection",
    "CollectionFormat",
    "CtrgcnCollection",
    "FeatureFolder",
    "FeaturePart",
    "PkuInterval",
    "PkuMmdCollection",
    "PkuRecording",
    "PysklCollection",
    "SkeletonCollection",
    "SkeletonFormat",
    "get_collection_format",
    "get_format",
    "is_collection",
    "is_feature_folder",
    "list_collection_formats",
    "list_formats",
    "ntu_name",
    "open_aimclr",
    "open_collection",
    "open_ctrgcn",
    "open_pku_mmd",
    "open_pyskl",
    "open_utkinect",
    "parse_ntu_name",
    "read_bvh",
    "read_coco_json",
    "read_csv",
    "read_feature_folder",
    "read_hdm05",
    "read_mediapipe",
    "read_msr_action3d",
    "read_npz",
    "read_ntu",
    "read_nw_ucla",
    "read_openpose",
    "read_pku_labels",
    "read_pku_mmd",
    "read_sbu",
    "read_skeleton",
    "read_utd_mhad",
    "read_utkinect",
    "register_collection_format",
    "register_format",
    "write_aimclr",
    "write_bvh",
    "write_coco_json",
    "write_csv",
    "write_ctrgcn",
    "write_feature_folder",
    "write_mediapipe",
    "write_msr_action3d",
    "write_npz",
    "write_ntu",
    "write_nw_ucla",
    "write_openpose",
    "write_pku_labels",
    "write_pku_mmd",
    "write_pyskl",
    "write_sbu",
    "write_utd_mhad",
    "write_utkinect",
]
