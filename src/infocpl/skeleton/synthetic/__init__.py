"""Synthetic actions: people made of bones who do named things before a made-up depth sensor.

They need no download and no licence, and every class is a composition of sub-motions (which limb,
in which direction, how often, in which posture) that other classes share, so an action left out of
training can be described by what the others teach.
"""

from infocpl.skeleton.synthetic.action_list import get_action, list_actions
from infocpl.skeleton.synthetic.actions import SyntheticAction, perform
from infocpl.skeleton.synthetic.body import Body, create_body
from infocpl.skeleton.synthetic.datasets import (
    generate_aimclr,
    generate_ctrgcn,
    generate_feature_folder,
    generate_ntu,
    generate_pku_mmd,
    generate_pyskl,
)
from infocpl.skeleton.synthetic.generate import generate_clip, generate_dataset
from infocpl.skeleton.synthetic.kinematics import Pose, solve
from infocpl.skeleton.synthetic.performances import (
    NtuRecording,
    PkuScript,
    list_ntu_recordings,
    perform_pku,
)
from infocpl.skeleton.synthetic.subjects import Subject, create_subject
from infocpl.skeleton.synthetic.timing import Style

__all__ = [
    "Body",
    "NtuRecording",
    "PkuScript",
    "Pose",
    "Style",
    "Subject",
    "SyntheticAction",
    "create_body",
    "create_subject",
    "generate_aimclr",
    "generate_clip",
    "generate_ctrgcn",
    "generate_dataset",
    "generate_feature_folder",
    "generate_ntu",
    "generate_pku_mmd",
    "generate_pyskl",
    "get_action",
    "list_actions",
    "list_ntu_recordings",
    "perform",
    "perform_pku",
    "solve",
]
