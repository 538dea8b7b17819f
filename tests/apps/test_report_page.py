"""The page as a reader and a browser meet it: sections, numbers, escaping, refusals."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infocpl.apps.report import render_report, write_report
from infocpl.errors import ConfigError, DataError
from infocpl.skeleton.layout import create_layout

HOSTILE = "a \"b\" 'c' <script>alert(1)</script> </script> & $x_1$ -->"
UNSEEN = ["throw", "bowling", "jog in place", "knock on door", "stand to sit"]


# --- samples ------------------------------------------------------------------------------------


def swing(layout_name: str, persons: int, frames: int, phase: float) -> np.ndarray:
    """(M, T, V, 3) metres: people who walk on the spot while both arms swing."""
    layout = create_layout(layout_name)
    rest = {"pelvis": (0.0, 0.95, 0.0)}
    offsets = {
        "spine": (0, 0.2, 0), "upper_spine": (0, 0.28, 0), "neck": (0, 0.08, 0),
        "head": (0, 0.2, 0),
        "shoulder": (0.19, 0.0, 0), "elbow": (0.06, -0.27, 0), "wrist": (0.02, -0.24, 0),
        "hand": (0, -0.09, 0),
        "hand_tip": (0, -0.08, 0), "thumb": (0.03, -0.04, -0.04),
        "hip": (0.1, -0.05, 0), "knee": (0.02, -0.42, 0), "ankle": (0, -0.4, 0),
        "foot": (0, -0.06, -0.13),
    }  # fmt: skip
    parent = dict(layout.bones)
    out = np.zeros((persons, frames, len(layout), 3))
    for person in range(persons):
        for frame in range(frames):
            angle = math.sin(2 * math.pi * frame / 30 + phase + person)
            place = dict(rest)
            waiting = [joint for joint in layout.joints if joint not in place]
            while waiting:
                joint = waiting.pop(0)
                if parent[joint] not in place:
                    waiting.append(joint)
                    continue
                side, _, stem = joint.partition("_")
                sign = {"left": -1.0, "right": 1.0}.get(side, 0.0)
                x, y, z = offsets.get(joint, offsets.get(stem, (0, 0.05, 0)))
                x *= sign or 1.0
                lift = {"elbow": 1.3, "wrist": 2.0, "hand": 2.0, "knee": 0.5, "ankle": -0.1}
                turn = lift.get(stem, 0.0) * max(0.0, angle * sign)
                y, z = (
                    y * math.cos(turn) - z * math.sin(turn),
                    y * math.sin(turn) + z * math.cos(turn),
                )
                base = place[parent[joint]]
                place[joint] = (base[0] + x, base[1] + y, base[2] + z)
            for index, joint in enumerate(layout.joints):
                x, y, z = place[joint]
                out[person, frame, index] = (x + person * 0.9 + 1.0, y - 0.2, z + 2.5)
    return out


def make_clip(
    number: int, *, layout_name: str = "kinect20", persons: int = 1, correct: bool = True
) -> dict[str, Any]:
    layout = create_layout(layout_name)
    true = UNSEEN[number % len(UNSEEN)]
    predicted = true if correct else UNSEEN[(number + 1) % len(UNSEEN)]
    scores = dict.fromkeys(UNSEEN, 0.1)
    scores[predicted] = 0.5
    scores[true] += 0.1
    return {
        "name": f"a{number}_s1_t{number}",
        "true": true,
        "predicted": predicted,
        "correct": correct,
        "scores": scores,
        "layout": layout_name,
        "bones": [[layout.index(a), layout.index(b)] for a, b in layout.bones],
        "parts": {part: layout.part_index(part) for part in layout.parts},
        "fps": 15,
        "keypoints": swing(layout_name, persons, 45, number).tolist(),
        "heads": [
            {
                "k": k,
                "believed": [
                    {
                        "text": f"The right arm swings forward past the shoulder, variant {i + 1}.",
                        "granularity": ("part", "whole", "phase")[i % 3],
                        "weight": 2 * (k - i) / (k * (k + 1)),
                    }
                    for i in range(k)
                ],
            }
            for k in (1, 3, 5)
        ]
        if number % 2 == 0
        else None,
    }


def make_method(title: str, level: float, classes: list[str]) -> dict[str, Any]:
    rng = np.random.default_rng(len(title))
    size = len(classes)
    counts = rng.integers(0, 9, (size, size)) + np.eye(size, dtype=int) * int(30 * level)
    seen = np.linspace(0.85, 0.0, 40)
    unseen = level * (1 - (seen / 0.85) ** 3)
    keys = ("top1", "top5", "per_class_mean")
    mean = {
        f"zsl.{key}": value for key, value in zip(keys, (level, 1.0, level - 0.02), strict=True)
    }
    mean |= {"gzsl.seen": 0.5123, "gzsl.unseen": level - 0.2, "gzsl.harmonic": level - 0.15}
    mean |= {"gzsl.ausuc": level / 2}
    mean |= {"gate.seen": 0.4711, "gate.unseen": 0.3922, "gate.harmonic": 0.4281}
    mean |= {"gate.ausuc": level / 3}
    runs = [
        {
            "seed": seed,
            "zsl": {"top1": level + step, "top5": 1.0, "per_class_mean": level},
            "gzsl": {
                "seen": 0.5,
                "unseen": 0.4,
                "harmonic": 0.44,
                "gamma": 0.3,
                "ausuc": 0.31,
                "relative_gamma": 0.625,
                "lead": 0.48,
            },
            "gate": {"seen": 0.47, "unseen": 0.39, "harmonic": 0.4263, "ausuc": 0.2},
            "selected": {"epoch": 40 + seed},
        }
        for seed, step in enumerate((-0.04, 0.0, 0.04))
    ]
    recall = {
        name: {"recall": float(counts[i, i] / counts[i].sum()), "clips": int(counts[i].sum())}
        for i, name in enumerate(classes)
    }
    return {
        "title": title,
        "per_seed": runs,
        "mean": mean,
        "sd": dict.fromkeys(mean, 0.0321),
        "interval": {"zsl.top1": {"by": "class", "low": level - 0.2, "high": level + 0.2}},
        "per_class": recall,
        "confusion": {"labels": classes, "counts": counts.tolist()},
        "curve": {
            "gamma": np.linspace(-1, 1, 40).tolist(),
            "seen": seen.tolist(),
            "unseen": unseen.tolist(),
        },
        "gate_curve": {
            "gamma": np.linspace(-2, 2, 40).tolist(),
            "seen": (0.9 * seen).tolist(),
            "unseen": (0.9 * unseen).tolist(),
        },
        "oracle": None,
    }


def make_result(classes: list[str] | None = None, rule: str = "pseudo-unseen") -> dict[str, Any]:
    classes = classes or UNSEEN
    seen = ["swipe left", "wave", "clap", "draw circle (clockwise)", "tennis serve", "squat"]
    methods = {
        "infocpl": make_method("InfoCPL", 0.6123, classes),
        "ridge": make_method("Ridge, mean of all descriptions", 0.5456, classes),
        "ridge-names": make_method("Ridge, class names only", 0.4389, classes),
    }
    return {
        "schema": "infocpl-result/1",
        "infocpl_version": "0.1.0",
        "created": "2026-01-02T03:04:05Z",
        "command": "infocpl run --dataset utd-mhad --split purls/22-5",
        "dataset": {"name": "utd-mhad", "title": "UTD-MHAD", "clips": 861, "classes": 27,
                    "layout": "kinect20", "store_hash": "5a" * 32},
        "split": {"id": "purls/22-5", "family": "purls", "seen": seen, "unseen": classes,
                  "hash": "7c" * 32},
        "protocol": {"name": "xsub-75", "train_clips": 520, "seen_test_clips": 180,
                     "unseen_clips": 160},
        "features": {"encoder": "stgcn", "streams": ["joint", "bone", "motion"], "dim": 256,
                     "parameters": 123456, "training_classes": list(seen)},
        "text": {"encoder": "minilm (all-MiniLM-L6-v2)", "dim": 384, "codebook_hash": "1b" * 32,
                 "lexicon_hash": "9e" * 32, "descriptions": 30,
                 "granularities": {"part": 6, "whole": 3},
                 "sources": dict.fromkeys([*seen, *classes], "lexicon utd-mhad")},
        "selection": {"rule": rule, "folds": 2, "details": [{"fold": 0, "epoch": 40}]},
        "seeds": [0, 1, 2],
        "chance": {"zsl": 1 / len(classes)},
        "methods": methods,
        "published": [{"method": "PURLS", "top1": 0.5751, "source": "another paper, table 4"}],
        "environment": {"python": "3.11.9", "torch": "2.6", "threads": 2, "device": "cpu"},
        "seconds": {"total": 91.2, "encode": 30.5},
    }  # fmt: skip


# --- reading the page ---------------------------------------------------------------------------

VOID = {"meta", "input", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """What a strict reader finds: balanced tags, texts of elements by id, cells of the table."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.texts: dict[str, str] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[tuple[str, dict[str, str]]] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, values))
        if values.get("id"):
            self.ids.append(str(values["id"]))
        if tag == "tr" and self.inside("results-table"):
            self.rows.append((str(values.get("class")), {}))
        if tag not in VOID:
            self.open.append((tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if dict(attrs).get("id"):
            self.ids.append(str(dict(attrs)["id"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for _, values in self.open:
            if values.get("id"):
                key = str(values["id"])
                self.texts[key] = self.texts.get(key, "") + data
        cell = next((v for t, v in self.open if t == "td"), None)
        if cell and cell.get("data-key") and self.open[-1][1].get("class") == "value":
            self.rows[-1][1][str(cell["data-key"])] = data

    def inside(self, key: str) -> bool:
        return any(values.get("id") == key for _, values in self.open)


def read(result: dict[str, Any], clips: list[dict[str, Any]]) -> Page:
    return Page(render_report(result, clips))


@pytest.fixture(scope="module")
def clips() -> list[dict[str, Any]]:
    return [
        make_clip(0),
        make_clip(1, correct=False),
        make_clip(2, layout_name="ntu25", persons=2),
    ]


@pytest.fixture(scope="module")
def page(clips: list[dict[str, Any]]) -> Page:
    return read(make_result(), clips)


def test_a_full_result_has_every_section(page: Page) -> None:
    wanted = {"results", "recall", "confusion", "curve", "clips", "heads", "provenance"}
    assert wanted <= set(page.ids)
    assert "oracle-banner" not in page.ids
    assert "leak-banner" not in page.ids


def test_ids_are_unique_although_several_drawings_share_the_page(page: Page) -> None:
    assert sorted(page.ids) == sorted(set(page.ids))
    assert sum(tag == "svg" and "role" in values for tag, values in page.tags) == 5


def test_every_reference_inside_the_page_points_at_something(page: Page) -> None:
    for _, values in page.tags:
        target = values.get("href")
        if target:
            assert target.startswith("#")
            assert target[1:] in page.ids
        for key in ("aria-labelledby", "for"):
            assert not values.get(key) or values[key] in page.ids
        clip = re.fullmatch(r"url\(#(.*)\)", values.get("clip-path") or "")
        assert clip is None or clip.group(1) in page.ids


def test_table_numbers_are_those_of_the_result(page: Page) -> None:
    result = make_result()
    shown = [cells for kind, cells in page.rows if kind == "method"]
    assert len(shown) == len(result["methods"])
    for cells, method in zip(shown, result["methods"].values(), strict=True):
        # The gate has a table of its own, beside its curve.
        inside = {k: v for k, v in method["mean"].items() if not k.startswith("gate.")}
        assert cells == {key: f"{100 * value:.1f}" for key, value in inside.items()}


def test_published_and_chance_rows_stand_below_and_have_their_numbers(page: Page) -> None:
    kinds = [kind for kind, _ in page.rows if kind != "None"]
    assert kinds == ["method"] * 3 + ["published", "chance"]
    assert page.rows[-2][1]["zsl.top1"] == "57.5"
    assert page.rows[-1][1]["zsl.top1"] == "20.0"
    assert page.rows[-2][1]["gzsl.harmonic"] == "–"
    assert "published" in page.texts["results-table"]


def test_caption_states_the_conditions_of_the_numbers(page: Page) -> None:
    for words in ("purls", "stgcn", "joint, bone, motion", "minilm", "pseudo-unseen", "0, 1, 2"):
        assert words in page.texts["results-caption"]


def test_the_first_sentence_says_what_was_reached(page: Page) -> None:
    words = " ".join(page.texts["summary"].split())
    assert words.startswith("InfoCPL named 61.2 % of the clips of 5 actions it never saw")
    assert "chance is 20.0 %" in words
    assert "3 seeds" in words


def test_seeds_are_listed_one_by_one(page: Page) -> None:
    text = page.texts["seeds-table"]
    for level in ("57.2", "61.2", "65.2"):
        assert level in text
    assert "epoch 42" in text


def test_gamma_stands_beside_its_share_of_the_lead_in_every_seed(page: Page) -> None:
    for value in ("0.3", "0.625", "0.48", "42.6"):
        assert value in page.texts["seeds-table"]


def test_the_gate_has_a_curve_and_numbers_of_its_own(page: Page) -> None:
    for value in ("47.1", "39.2", "42.8", "20.4"):
        assert value in page.texts["gate"]


def test_without_a_gate_the_page_says_nothing_of_one() -> None:
    result = make_result()
    for method in result["methods"].values():
        method["gate_curve"] = None
        method["mean"] = {k: v for k, v in method["mean"].items() if not k.startswith("gate")}
        for run in method["per_seed"]:
            del run["gate"]
    page = render_report(result, [])
    assert "Behind a gate" not in page
    assert 'id="curve"' in page


def test_recall_names_every_class_with_its_clips(page: Page) -> None:
    for name, entry in make_result()["methods"]["infocpl"]["per_class"].items():
        assert name in page.texts["recall"]
        assert f"{100 * entry['recall']:.1f}" in page.texts["recall"]
        assert f"{entry['clips']} clips" in page.texts["recall"]


def test_provenance_shows_hashes_command_and_classes(page: Page) -> None:
    text = page.texts["provenance"]
    for words in ("5a" * 32, "7c" * 32, "1b" * 32, "9e" * 32, "infocpl run --dataset", "91.2"):
        assert words in text
    assert "tennis serve" in page.texts["seen-classes"]
    assert "knock on door" in page.texts["unseen-classes"]


def test_nothing_is_fetched_from_anywhere(clips: list[dict[str, Any]]) -> None:
    text = render_report(make_result(), clips)
    assert not re.search(r"https?://|//cdn|@import|url\((?!#)", text)
    page = Page(text)
    assert not any(tag in ("link", "img", "iframe", "object", "base") for tag, _ in page.tags)
    assert not any("src" in values for _, values in page.tags)


def test_the_policy_admits_exactly_the_script_of_the_page(page: Page) -> None:
    text = render_report(make_result(), [])
    policy = next(v["content"] for t, v in page.tags if t == "meta" and "http-equiv" in v)
    script = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in str(policy)
    assert "default-src 'none'" in str(policy)


def test_heads_show_sentence_granularity_and_weight(
    page: Page, clips: list[dict[str, Any]]
) -> None:
    text = page.texts["heads"]
    for row in clips[0]["heads"][2]["believed"]:
        assert row["text"] in text
        assert f"{row['weight']:.3f}" in text
    assert sum("data-heads" in values for _, values in page.tags) == 2
    options = [v["value"] for t, v in page.tags if t == "option" and len(v) == 1]
    assert options[-2:] == ["0", "2"]


def test_oracle_selection_raises_a_banner_and_marks_every_number() -> None:
    result = make_result(rule="oracle")
    text = render_report(result, [])
    page = Page(text)
    assert "not a zero-shot result" in page.texts["oracle-banner"]
    assert "†" in page.texts["summary"]
    table = text[text.index('id="results-table"') : text.index("</table>")]
    for row in re.findall(r'<tr class="method">.*?</tr>', table, flags=re.DOTALL):
        assert row.count('class="value"') == row.count('<sup class="mark">†</sup>') == 7
    assert page.texts["recall"].count("†") >= 5


def test_an_oracle_beside_an_honest_result_is_a_row_of_its_own() -> None:
    result = make_result()
    result["methods"]["ridge"]["oracle"] = {"mean": {"zsl.top1": 0.987}}
    page = read(result, [])
    kinds = [kind for kind, _ in page.rows if kind != "None"]
    assert kinds[:4] == ["method", "method", "oracle", "method"]
    assert next(cells for kind, cells in page.rows if kind == "oracle")["zsl.top1"] == "98.7"
    assert "an upper bound, not a result" in page.texts["results"]
    assert "oracle-banner" not in page.ids


def test_figures_show_all_of_fourteen_methods_and_matrices_those_that_are_compared() -> None:
    result = make_result()
    variants = [f"variant {letter}" for letter in "ABCDEFGHIJK"]
    for place, title in enumerate(variants):
        result["methods"][f"v{place}"] = make_method(title, 0.3, UNSEEN)
    five = dict(list(result["methods"].items())[:5])
    all_drawn = render_report(result | {"methods": five}, [])
    assert "Confusion matrix of variant B" in all_drawn
    assert "result.json holds" not in all_drawn
    text = render_report(result, [])
    page = Page(text)
    for part in ("results-table", "recall", "curve"):
        assert all(title in page.texts[part] for title in variants)
    assert "Ridge, class names only" in page.texts["confusion"]
    assert not any(title in page.texts["confusion"] for title in variants)
    assert "result.json holds all 14" in page.texts["confusion"]
    assert "left out" not in page.texts["results"]
    table = text[text.index('id="results-table"') : text.index("</table>")]
    keys = re.findall(r'class="key s(\d+)"', table)
    assert keys == [str(place) for place in range(14)]


def test_recalls_of_many_methods_lie_on_lines_of_their_own() -> None:
    result = make_result()
    result["methods"] = {f"m{n}": make_method(f"Method {n}", 0.3, UNSEEN) for n in range(5)}
    assert "lanes" not in recall_of(render_report(result, []))
    result["methods"]["m5"] = make_method("Method 5", 0.3, UNSEEN)
    row = recall_of(render_report(result, [])).split("</tr>")[1]
    height = int(re.findall(r"lanes\" style=\"height:(\d+)px", row)[0])
    tops = [int(top) for top in re.findall(r"top:(\d+)px", row)]
    assert len(tops) == 5
    assert all(later - earlier >= 12 for earlier, later in pairwise([*tops, height + 6]))


def recall_of(text: str) -> str:
    return text[text.index('<section id="recall">') : text.index('<section id="confusion">')]


def test_figures_of_more_methods_than_can_be_told_apart_show_the_first_ones() -> None:
    result = make_result()
    result["methods"] = {f"m{n}": make_method(f"Method {n}.", 0.3, UNSEEN) for n in range(26)}
    page = read(result, [])
    assert "Method 23." in page.texts["curve"]
    assert "Method 24." not in page.texts["curve"]
    assert "Method 25." in page.texts["results-table"]
    assert "leave 2 of the methods out" in page.texts["results"]
    assert "Method 4." in page.texts["confusion"]
    assert "Method 5." not in page.texts["confusion"]


def test_an_encoder_trained_on_an_unseen_class_is_named() -> None:
    result = make_result()
    result["features"]["training_classes"].append("throw")
    page = read(result, [])
    assert "throw" in page.texts["leak-banner"]
    assert "1 of 5" in page.texts["leak-banner"]


# --- hostile and poor input ---------------------------------------------------------------------


def hostile_sample() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    result = make_result([HOSTILE, "second", "挥手", "$\\frac{1}{$", "\x00\ud800 lone"])
    result["dataset"]["title"] = HOSTILE
    result["command"] = HOSTILE
    result["published"][0] |= {"method": HOSTILE, "source": "https://example.org"}
    for method in result["methods"].values():
        method["title"] += HOSTILE
    clip = make_clip(0)
    clip |= {"name": HOSTILE, "true": HOSTILE, "predicted": HOSTILE, "scores": {HOSTILE: 1.0}}
    clip["heads"][0]["believed"][0] |= {"text": HOSTILE, "granularity": HOSTILE}
    return result, [clip]


def test_names_with_markup_stay_text() -> None:
    result, clips = hostile_sample()
    page = read(result, clips)
    assert sum(tag == "script" for tag, _ in page.tags) == 2
    assert not any(name.startswith("on") for _, values in page.tags for name in values)
    for section in ("summary", "results-table", "recall", "clips", "heads", "provenance"):
        source = page.texts[section]
        assert "<script>alert(1)</script>" in source or section == "summary"
    assert "$\\frac{1}{$" in page.texts["confusion"]
    assert "挥手" in page.texts["confusion"]


def test_payload_survives_a_script_end_tag_inside_a_name() -> None:
    result, clips = hostile_sample()
    payload = json.loads(read(result, clips).texts["clips-data"])
    assert payload[0]["name"] == payload[0]["label"] == HOSTILE


def test_payload_returns_the_coordinates(page: Page, clips: list[dict[str, Any]]) -> None:
    for entry, clip in zip(json.loads(page.texts["clips-data"]), clips, strict=True):
        points = np.array(entry["points"]).reshape(*entry["shape"], 3)
        back = points * entry["step"] + np.array(entry["origin"])
        np.testing.assert_allclose(back, clip["keypoints"], atol=entry["step"] * 0.5001)


def test_a_page_with_odd_characters_is_written_and_read_again(tmp_path: Path) -> None:
    result, clips = hostile_sample()
    path = write_report(result, clips, tmp_path / "new" / "report.html")
    assert path.is_file()
    Page(path.read_text(encoding="utf-8"))


OPTIONAL = [
    ["infocpl_version"], ["created"], ["command"], ["protocol"], ["chance"], ["published"],
    ["environment"], ["seconds"], ["text", "sources"], ["features", "streams"],
    ["features", "training_classes"], ["dataset", "title"],
    *[["methods", "infocpl", key] for key in
      ("per_seed", "sd", "interval", "per_class", "confusion", "curve", "oracle")],
]  # fmt: skip


@pytest.mark.parametrize("empty", [False, True], ids=["absent", "null"])
@pytest.mark.parametrize("path", OPTIONAL, ids=".".join)
def test_a_page_without_an_optional_part_is_complete(path: list[str], empty: bool) -> None:
    result = make_result()
    result["methods"] = {"infocpl": result["methods"]["infocpl"]}
    place = result
    for key in path[:-1]:
        place = place[key]
    if empty:
        place[path[-1]] = None
    else:
        del place[path[-1]]
    page = read(result, [])
    assert {"results", "provenance", "results-table"} <= set(page.ids)
    assert page.rows[2][1]["zsl.top1"] == "61.2"
    assert "clips" not in page.ids


def test_the_smallest_result_still_makes_a_page() -> None:
    full = make_result()
    keys = ("schema", "dataset", "split", "features", "text", "selection")
    result = {key: full[key] for key in keys}
    result |= {"seeds": [], "methods": {"a": {"title": "A", "mean": {"zsl.top1": 0.5}}}}
    page = read(result, [])
    assert not {"recall", "confusion", "curve", "clips", "heads"} & set(page.ids)
    assert page.rows[2][1]["zsl.top1"] == "50.0"


REQUIRED = [
    ["schema"], ["seeds"], ["methods"], ["dataset"], ["dataset", "name"], ["split", "id"],
    ["split", "family"], ["split", "seen"], ["split", "unseen"], ["features", "encoder"],
    ["text", "encoder"], ["selection", "rule"], ["methods", "ridge", "title"],
    ["methods", "ridge", "mean"], ["methods", "ridge", "mean", "zsl.top1"],
    ["methods", "ridge", "confusion", "labels"], ["methods", "ridge", "confusion", "counts"],
    ["methods", "ridge", "curve", "seen"], ["methods", "ridge", "curve", "unseen"],
    ["methods", "ridge", "per_class", "throw", "recall"],
    ["methods", "ridge", "interval", "zsl.top1", "high"],
]  # fmt: skip


@pytest.mark.parametrize("path", REQUIRED, ids=".".join)
@pytest.mark.parametrize("wrong", [None, {"a": object}, float("nan")], ids=["absent", "odd", "nan"])
def test_a_malformed_result_is_refused_by_the_name_of_its_key(path: list[str], wrong: Any) -> None:
    result = make_result()
    place = result
    for key in path[:-1]:
        place = place[key]
    if wrong is None:
        del place[path[-1]]
    else:
        # A dict is a legal kind where an object is expected; use a list there.
        place[path[-1]] = [1] if isinstance(place[path[-1]], dict) else wrong
    with pytest.raises(DataError, match=re.escape(".".join(path))):
        render_report(result, [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.update(schema="infocpl-result/9"), "infocpl-result/1"),
        (lambda r: r.update(methods={}), "at least one method"),
        (lambda r: r["split"].update(unseen=[1]), "split.unseen"),
        (lambda r: r["methods"]["ridge"]["sd"].update({"zsl.top1": "x"}), "ridge.sd.zsl.top1"),
        (lambda r: r.update(published=[{"method": "a"}]), r"published\[0\].top1"),
        (lambda r: r.update(chance=3), "result.chance"),
        (lambda r: r["methods"]["ridge"]["confusion"].update(counts=[[1]]), "ridge.confusion"),
    ],
    ids=["schema", "no method", "class names", "sd", "published", "chance", "confusion shape"],
)
def test_a_wrong_value_is_refused(change: Any, message: str) -> None:
    result = make_result()
    change(result)
    with pytest.raises(DataError, match=message):
        render_report(result, [])


@pytest.mark.parametrize("value", [None, [], "result", 3], ids=repr)
def test_something_that_is_no_result_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="result"):
        render_report(value, [])


def test_input_is_left_as_it_was(clips: list[dict[str, Any]]) -> None:
    result = make_result()
    before = copy.deepcopy((result, clips))
    render_report(result, clips)
    assert before == (result, clips)


def test_the_same_input_gives_the_same_page(clips: list[dict[str, Any]]) -> None:
    assert render_report(make_result(), clips) == render_report(make_result(), clips)


def test_a_folder_as_target_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="folder"):
        write_report(make_result(), [], tmp_path)


def test_a_target_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_report(make_result(), [], tmp_path / "file" / "report.html")


def test_a_refused_result_leaves_the_old_page(tmp_path: Path) -> None:
    path = write_report(make_result(), [], tmp_path / "report.html")
    before = path.read_bytes()
    with pytest.raises(DataError):
        write_report({"schema": "infocpl-result/1"}, [], path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


# --- a real browser -----------------------------------------------------------------------------


def load_in_browser(path: Path, profile: Path) -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    browser = next((found for name in names if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no chromium or chrome on PATH")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", f"--user-data-dir={profile}", "--virtual-time-budget=2000",
        "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode("utf-8")


@pytest.mark.integration
def test_the_script_runs_in_a_browser_without_an_error(
    tmp_path: Path, clips: list[dict[str, Any]]
) -> None:
    path = write_report(make_result(), clips, tmp_path / "report.html")
    dom = load_in_browser(path, tmp_path / "profile")
    body = re.search(r"<body[^>]*>", dom)
    assert body is not None
    assert 'data-ready="true"' in body.group()
    assert 'data-players="3"' in body.group()
    assert "data-error" not in body.group()
    # Drawing wrote the frame under each player, and only the chosen heads are shown.
    assert len(re.findall(r"frame \d+/45", dom)) == 3
    shown = re.findall(r'<div class="believed" data-heads="(\d+)"( hidden="")?>', dom)
    assert shown == [("0", ""), ("2", ' hidden=""')]


@pytest.mark.integration
def test_hostile_names_do_not_run_in_a_browser(tmp_path: Path) -> None:
    result, clips = hostile_sample()
    path = write_report(result, clips, tmp_path / "report.html")
    dom = load_in_browser(path, tmp_path / "profile")
    assert 'data-ready="true"' in dom
    assert dom.count("<script") == 2
