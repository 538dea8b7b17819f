"""How many names outside every lexicon the motion grammar reads as a careful reader does.

    python benchmarks/grammar_names.py [--names FILE] [--all]

Compares what the grammar makes of each name with expectations that were written down before:
which limbs move, in which directions, once or repeatedly. Prints the shares, and the failures.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infocpl.semantics.grammar import CONFIDENT, Reading, read_name
from infocpl.semantics.traits import Traits

FOLDER = Path(__file__).parents[1] / "tests" / "semantics" / "grammar"
QUESTIONS = ("limbs", "directions", "repetition")


@dataclass(frozen=True)
class Verdict:
    """One name: what was made of it, and which questions were answered wrongly."""

    reading: Reading
    wrong: tuple[str, ...]

    @property
    def confident(self) -> bool:
        """Whether the grammar would use its reading."""
        """Whether the reading would be used to describe the name."""
        return self.reading.confidence >= CONFIDENT

    def __str__(self) -> str:
        traits, reading = self.reading.traits, self.reading
        told = "nothing"
        if traits is not None:
            parts, ways = ", ".join(traits.moving), ", ".join(traits.directions)
            told = f"{parts} | {ways} | {traits.repetition}"
        unknown = ", ".join(reading.unknown) or "none"
        verdict = f"wrong {', '.join(self.wrong)}" if self.wrong else "accepted"
        return (
            f"{reading.name}: {verdict} ({told}; confidence {reading.confidence:.2f}; unknown "
            f"words: {unknown})"
        )


def judge_file(path: Path) -> list[Verdict]:
    """Read every name of a file and compare it with what is expected."""
    names = yaml.safe_load(path.read_text(encoding="utf-8"))["names"]
    return [judge(expected) for expected in names]


def judge(expected: dict[str, Any]) -> Verdict:
    """Read one name and compare it with what a careful reader expects."""
    reading = read_name(expected["name"])
    traits = reading.traits
    if traits is None:
        return Verdict(reading, QUESTIONS)
    answers = {
        "limbs": _limbs(expected["limbs"], traits),
        "directions": _directions(expected["directions"], traits.directions),
        "repetition": traits.repetition in expected["repetition"],
    }
    return Verdict(reading, tuple(name for name in QUESTIONS if not answers[name]))


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
    parser.add_argument("--names", type=Path, default=FOLDER / "names.yaml")
    parser.add_argument("--all", action="store_true", help="print every name, not failures alone")
    options = parser.parse_args()
    verdicts = judge_file(options.names)
    for verdict in verdicts:
        if verdict.wrong or options.all:
            print(verdict)
    total = len(verdicts)
    print(f"\n{total} names of {options.names.name}")
    for question in (*QUESTIONS, "all three"):
        right = sum(
            question not in verdict.wrong if question in QUESTIONS else not verdict.wrong
            for verdict in verdicts
        )
        print(f"{question:12s} accepted: {right:3d} ({100 * right / total:.0f} %)")
    sure = [verdict for verdict in verdicts if verdict.confident]
    right = sum(not verdict.wrong for verdict in sure)
    print(f"confident enough to be described: {len(sure)}, all three accepted of them: {right}")


if __name__ == "__main__":
    main()
