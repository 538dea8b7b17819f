"""The synthetic actions: what each is called, and which sub-motions it consists of."""

from __future__ import annotations

from functools import cache
from typing import Any

from infocpl.errors import LabelError
from infocpl.skeleton.synthetic import gaits, gestures, postures
from infocpl.skeleton.synthetic.actions import Motion, Part, SyntheticAction

__all__ = ["get_action", "list_actions"]


class _Builder:
    """Numbers actions in the order in which they are added."""

    def __init__(self) -> None:
        self.actions: list[SyntheticAction] = []

    def add(
        self,
        name: str,
        family: str,
        motion: Motion,
        *,
        seconds: float = 2.5,
        also: tuple[Part, ...] | None = None,
        second: tuple[Part, ...] | None = None,
        distance: float = 0.0,
        facing: str = "each other",
        choices: dict[str, Any] | None = None,
        **attributes: str,
    ) -> None:
        first = (Part(motion, choices or {}), *(also or ()))
        defaults = {
            "direction": "none",
            "repetition": "once",
            "posture": "standing",
            "locomotion": "on the spot",
        }
        self.actions.append(
            SyntheticAction(
                name=name,
                id=len(self.actions) + 1,
                family=family,
                attributes=defaults | {"movement": family} | attributes,
                roles=(first,) if second is None else (first, second),
                seconds=seconds,
                distance=distance,
                facing=facing,
            )
        )


def _add_arms(build: _Builder) -> None:
    for direction in ("forward", "sideways", "overhead"):
        for side in ("left", "right", "both"):
            limb = "both arms" if side == "both" else f"the {side} arm"
            build.add(
                f"raise {limb} {direction}",
                "raise",
                gestures.raise_arm,
                choices={"side": side, "direction": direction},
                limb=limb.removeprefix("the "),
                direction=direction,
            )
    for side in ("left", "right", "both"):
        name = "wave both hands" if side == "both" else f"wave the {side} hand"
        limb = "both arms" if side == "both" else f"{side} arm"
        build.add(
            name,
            "wave",
            gestures.wave,
            choices={"side": side},
            limb=limb,
            direction="from side to side",
            repetition="periodic",
        )
    one_armed: tuple[tuple[str, str, Motion, str], ...] = (
        ("punch forward with the {} arm", "punch", gestures.punch, "forward"),
        ("swing the {} arm back and forth", "swing", gestures.swing_arm, "forward and backward"),
        ("circle the {} arm", "circle", gestures.circle_arm, "forward and overhead"),
    )
    for words, family, motion, direction in one_armed:
        for side in ("left", "right"):
            build.add(
                words.format(side),
                family,
                motion,
                choices={"side": side},
                limb=f"{side} arm",
                direction=direction,
                repetition="periodic",
                seconds=2.8,
            )
    for name, family, motion, direction in (
        ("push forward with both hands", "push", gestures.push, "forward"),
        ("pull with both hands", "pull", gestures.pull, "backward"),
    ):
        build.add(name, family, motion, limb="both arms", direction=direction)
    build.add(
        "clap the hands",
        "clap",
        gestures.clap,
        limb="both arms",
        direction="towards each other",
        repetition="periodic",
    )
    build.add(
        "throw a ball overhand",
        "throw",
        gestures.throw,
        limb="preferred arm",
        direction="forward",
        seconds=2.2,
    )


def _add_legs(build: _Builder) -> None:
    for direction in ("forward", "sideways", "backward"):
        for side in ("left", "right"):
            build.add(
                f"kick {direction} with the {side} leg",
                "kick",
                postures.kick,
                choices={"side": side, "direction": direction},
                limb=f"{side} leg",
                direction=direction,
                seconds=2.2,
            )
    for side in ("left", "right"):
        build.add(
            f"lift the {side} knee",
            "lift",
            postures.lift_knee,
            choices={"side": side},
            limb=f"{side} leg",
            direction="forward",
        )


def _add_trunk(build: _Builder) -> None:
    heads: tuple[tuple[str, Motion, str], ...] = (
        ("nod the head", gestures.nod, "up and down"),
        ("shake the head", gestures.shake_head, "left and right"),
    )
    for name, motion, direction in heads:
        build.add(name, "head", motion, limb="head", direction=direction, repetition="periodic")
    bow = {"direction": "forward", "degrees": 42.0}
    build.add("bow", "lean", gestures.lean, choices=bow, limb="torso", direction="forward")
    for side in ("left", "right"):
        build.add(
            f"lean to the {side}",
            "lean",
            gestures.lean,
            choices={"direction": side, "degrees": 34.0},
            limb="torso",
            direction=side,
        )
    build.add(
        "twist the torso from side to side",
        "twist",
        gestures.turn_trunk,
        limb="torso",
        direction="left and right",
        repetition="periodic",
        seconds=3.0,
    )
    build.add(
        "bend down and touch the floor",
        "bend",
        postures.reach_floor,
        limb="torso and both arms",
        direction="down",
        seconds=2.8,
    )


def _add_postures(build: _Builder) -> None:
    for name, family, motion, rising, change in (
        ("squat down", "squat", postures.squat, False, "standing to squatting"),
        ("stand up from a squat", "squat", postures.squat, True, "squatting to standing"),
        ("sit down", "sit", postures.sit, False, "standing to sitting"),
        ("stand up from a chair", "sit", postures.sit, True, "sitting to standing"),
    ):
        build.add(
            name,
            family,
            motion,
            choices={"rising": rising},
            limb="both legs",
            direction="up" if rising else "down",
            posture=change,
        )
    build.add(
        "kneel down on one knee",
        "kneel",
        postures.kneel,
        limb="both legs",
        direction="down",
        posture="standing to kneeling",
        seconds=2.8,
    )


def _add_gaits(build: _Builder) -> None:
    for name, direction in (
        ("walk forward", "forward"),
        ("walk backward", "backward"),
        ("step sideways to the left", "left"),
        ("step sideways to the right", "right"),
    ):
        build.add(
            name,
            "walk",
            gaits.walk,
            choices={"direction": direction},
            limb="both legs",
            direction=direction,
            locomotion=direction,
            repetition="periodic",
            seconds=2.8,
        )
    legs: tuple[tuple[str, str, Motion, str, str, float], ...] = (
        ("march in place", "march", gaits.march, "up and down", "periodic", 3.1),
        ("jog in place", "jog", gaits.jog, "up and down", "periodic", 2.5),
        ("jump up", "jump", gaits.jump, "up", "once", 2.0),
        ("hop on one leg", "jump", gaits.hop, "up and down", "periodic", 2.7),
        ("do jumping jacks", "jump", gaits.jumping_jacks, "sideways", "periodic", 2.9),
        ("turn around", "turn", gaits.turn_around, "around", "once", 2.7),
    )
    for name, family, motion, direction, repetition, seconds in legs:
        limb = "both arms and both legs" if name == "do jumping jacks" else "both legs"
        build.add(
            name,
            family,
            motion,
            limb=limb,
            direction=direction,
            repetition=repetition,
            seconds=seconds,
        )


def _add_pairs(build: _Builder) -> None:
    ahead = {"direction": "forward", "steps": 3}
    shake = (Part(gestures.reach_and_shake),)
    build.add(
        "shake hands",
        "pair",
        gestures.reach_and_shake,
        second=shake,
        distance=0.74,
        limb="right arm of both",
        repetition="periodic",
    )
    for name, distance, facing, word in (
        ("two people walk towards each other", 3.1, "each other", "towards each other"),
        ("two people walk apart", 0.8, "away", "away from each other"),
    ):
        build.add(
            name,
            "pair",
            gaits.walk,
            choices=ahead,
            second=(Part(gaits.walk, ahead),),
            distance=distance,
            facing=facing,
            limb="both legs of both",
            direction=word,
            locomotion=word,
            repetition="periodic",
        )
    build.add(
        "hug each other",
        "pair",
        gestures.embrace,
        second=(Part(gestures.embrace),),
        distance=0.5,
        limb="both arms of both",
        direction="forward",
        seconds=2.8,
    )
    preferred = {"side": "preferred"}
    blows: tuple[tuple[str, Motion, dict[str, str], float, str], ...] = (
        ("push the other person", gestures.push, {}, 0.66, "both arms of one"),
        ("kick the other person", postures.kick, preferred, 0.95, "one leg of one"),
        ("punch the other person", gestures.punch, preferred, 0.70, "one arm of one"),
    )
    for name, motion, choices, distance, limb in blows:
        kick = {"direction": "forward"} if motion is postures.kick else {}
        build.add(
            name,
            "pair",
            motion,
            choices=choices | kick,
            second=(Part(gaits.recoil, {"start": 0.42}),),
            distance=distance,
            limb=limb,
            direction="forward",
            locomotion="the other goes backward",
        )


@cache
def _actions() -> tuple[SyntheticAction, ...]:
    build = _Builder()
    for add in (_add_arms, _add_legs, _add_trunk, _add_postures, _add_gaits, _add_pairs):
        add(build)
    return tuple(build.actions)


def list_actions() -> list[SyntheticAction]:
    """Every synthetic action, in the order of its id.

    Examples
    --------
    >>> actions = list_actions()
    >>> actions[0].name, actions[0].id, actions[0].attributes["limb"]
    ('raise the left arm forward', 1, 'left arm')
    """
    return list(_actions())


def get_action(name: str | int) -> SyntheticAction:
    """The action with this name or id; :class:`LabelError` says which there are."""
    for action in _actions():
        if name in (action.name, action.id):
            return action
    names = ", ".join(action.name for action in _actions())
    raise LabelError(f"unknown synthetic action {name!r}; known (ids from 1): {names}")
