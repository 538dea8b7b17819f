"""How the words of the traits are said in sentences."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = [
    "AMPLITUDES",
    "ARM_VERBS",
    "CONTACTS",
    "HEIGHTS",
    "OFTEN",
    "PATHS",
    "PATH_VERBS",
    "PLANES",
    "POSTURES",
    "RELATIONS",
    "SPEEDS",
    "TRAVEL",
]

HEIGHTS: Mapping[str, str] = {
    "overhead": "above the head",
    "head": "at head height",
    "chest": "at chest height",
    "waist": "at waist height",
    "knee": "at knee height",
    "floor": "close to the floor",
}

PATH_VERBS: Mapping[str, str] = {
    "still": "stay in place",
    "line": "move straight",
    "arc": "move in an arc",
    "circle": "go round in a circle",
    "zigzag": "change direction in sharp corners",
    "swing": "swing like a pendulum",
    "oscillation": "go to and fro",
    "mixed": "move on a winding way",
}

PATHS: Mapping[str, str] = {
    "still": "a single point",
    "line": "a nearly straight line",
    "arc": "a bow",
    "circle": "a closed ring",
    "zigzag": "a broken line with sharp corners",
    "swing": "a long pendulum curve",
    "oscillation": "a short way that is gone to and fro",
    "mixed": "a line made of several pieces",
}

PLANES: Mapping[str, str] = {
    "sagittal": "sagittal plane, between front and back",
    "frontal": "frontal plane, between left and right",
    "horizontal": "horizontal plane, at one level",
}

OFTEN: Mapping[str, str] = {
    "once": "a single time",
    "few": "several times",
    "continuous": "again and again",
}

SPEEDS: Mapping[str, str] = {
    "slow": "slowly",
    "moderate": "at a calm pace",
    "fast": "quickly",
    "explosive": "with a sudden burst",
}

AMPLITUDES: Mapping[str, str] = {
    "small": "a short way",
    "medium": "about as far as a forearm is long",
    "large": "as far as the body allows",
}

POSTURES: Mapping[str, str] = {
    "standing": "standing upright",
    "sitting": "sitting",
    "bent": "bent forward",
    "crouching": "crouching",
    "kneeling": "kneeling",
    "lying": "lying",
}

CONTACTS: Mapping[str, str] = {
    "face": "the face",
    "head": "the head",
    "torso": "the trunk",
    "own_hand": "the other hand",
    "own_arm": "the arm",
    "own_leg": "the leg",
    "object": "a thing",
    "other_person": "the other person",
    "ground": "the ground",
}

ARM_VERBS: Mapping[str, str] = {
    "raise": "rise",
    "lower": "sink",
    "reach": "reach out",
    "pull": "pull back",
    "push": "push away",
    "swing": "swing",
    "rotate": "turn",
    "hold": "hold their place",
    "shake": "shake",
    "strike": "strike",
    "bend": "bend",
    "straighten": "straighten",
    "cross": "cross the body",
    "touch": "touch",
}

TRAVEL: Mapping[str, str] = {
    "none": "the feet stay on the spot",
    "walking": "the person walks along",
    "running": "the person runs along",
    "jumping": "both feet leave the ground",
    "hopping": "one foot bounces off the ground",
    "stepping": "the feet take steps",
    "turning": "the body turns about its long axis",
}

RELATIONS: Mapping[str, str] = {
    "none": "beside each other",
    "approach": "coming closer to each other",
    "depart": "going away from each other",
    "touch": "touching each other",
    "strike": "one striking or pushing the other",
    "face": "facing each other",
    "follow": "one following the other",
}
