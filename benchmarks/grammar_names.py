"""How many names outside every lexicon the motion grammar reads as a careful reader does.

    python benchmarks/grammar_names.py [--names FILE] [--all]

Compares what the grammar makes of each name with expectations that were written down before:
which limbs move, in which directions, once or repeatedly. Prints the shares, and the failures.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import yaml

from infocpl.semantics.grammar import CONFIDENT, read_name
from infocpl.semantics.traits import Traits

NAMES = Path(__file__).parents[1] / "tests" / "semantics" / "grammar_names.yaml"
QUESTIONS = ("limbs", "directions", "repetition")


def judge(expected: dict[str, Any], traits: Traits) -> dict[str, bool]:
    """Whether each of :data:`QUESTIONS` is answered as a careful reader expects."""
    return {
        "limbs": _limbs(expected["limbs"], traits),
        "directions": _directions(expected["directions"], traits.directions),
        "repetition": traits.repetition in expected["repetition"],
    }


def _limbs(expected: dict[str, Any], traits: Traits) -> bool:
    moving = set(traits.moving)
    for limb in ("arm", "leg"):
        count = len(moving & {f"left_{limb}", f"right_{limb}"})
        first, _, last = str(expected.get(f"{limb}s", 0)).partition("-")
        if not int(first) <= count <= int(last or first):
            return False
    for part in ("torso", "head"):
        wanted = expected.get(part, "rests")
        if (wanted == "moves" and part not in moving) or (wanted == "rests" and part in moving):
            return False
    return "side" not in expected or traits.side == expected["side"]


def _directions(expected: dict[str, list[str]], found: tuple[str, ...]) -> bool:
    must, some = set(expected.get("must", ())), set(expected.get("any", ()))
    allowed = must | some | set(expected.get("may", ()))
    told = set(found)
    return must <= told and (not some or bool(some & told)) and told <= allowed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=Path, default=NAMES)
    parser.add_argument("--all", action="store_true", help="print every name, not failures alone")
    options = parser.parse_args()
    names = yaml.safe_load(options.names.read_text(encoding="utf-8"))["names"]
    right = dict.fromkeys(QUESTIONS, 0)
    confident = accepted = sure_accepted = 0
    for expected in names:
        reading = read_name(expected["name"])
        answers = dict.fromkeys(QUESTIONS, False)
        told = "nothing"
        if reading.traits is not None:
            answers = judge(expected, reading.traits)
            traits = reading.traits
            told = (
                f"{','.join(traits.moving)} | {','.join(traits.directions)} | {traits.repetition}"
            )
        wrong = [question for question in QUESTIONS if not answers[question]]
        for question in QUESTIONS:
            right[question] += answers[question]
        confident += reading.confidence >= CONFIDENT
        accepted += not wrong
        sure_accepted += not wrong and reading.confidence >= CONFIDENT
        if wrong or options.all:
            print(
                f"{expected['name']}: {'wrong ' + ', '.join(wrong) if wrong else 'accepted'} "
                f"({told}; confidence {reading.confidence:.2f}; unknown: "
                f"{', '.join(reading.unknown) or 'none'})"
            )
    total = len(names)
    print(f"\n{total} names of {options.names.name}")
    for question in QUESTIONS:
        print(
            f"{question:12s} accepted: {right[question]:3d} ({100 * right[question] / total:.0f} %)"
        )
    print(f"{'all three':12s} accepted: {accepted:3d} ({100 * accepted / total:.0f} %)")
    print(f"confident enough to be described: {confident}, of these accepted {sure_accepted}")


if __name__ == "__main__":
    main()
