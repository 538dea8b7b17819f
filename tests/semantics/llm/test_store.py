"""Answers on disk."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from infocpl.errors import LanguageModelError
from infocpl.semantics.llm import AnswerStore

FIELDS = {"purpose": "Someone does it for fun — déjà vu.", "parts": {"head": "It rests."}}


def test_an_answer_is_found_again_under_its_question_only(tmp_path: Path):
    store = AnswerStore(tmp_path)
    store.put("server tiny", "Why?", FIELDS)
    assert AnswerStore(tmp_path).get("server tiny", "Why?") == FIELDS
    for client, question in (("server tiny", "How?"), ("server large", "Why?"), ("", "")):
        assert store.get(client, question) is None


def test_any_damage_makes_an_answer_absent(tmp_path: Path):
    store = AnswerStore(tmp_path)
    store.put("server tiny", "Why?", FIELDS)
    (path,) = tmp_path.rglob("*.json")
    whole = path.read_bytes()
    rng = random.Random(1)
    content = json.loads(whole)
    spoilt = [
        whole[:40],
        b"",
        b"[]",
        b'{"fields": 1}',
        json.dumps({**content, "fields": {}}).encode(),
    ]
    for _ in range(100):
        place = rng.randrange(len(whole))
        spoilt.append(
            whole[:place] + bytes([whole[place] ^ (1 << rng.randrange(8))]) + whole[place + 1 :]
        )
    for data in spoilt:
        path.write_bytes(data)
        found = store.get("server tiny", "Why?")
        # A bit of the model's name costs nothing; one of the answer must be noticed.
        assert found in (None, FIELDS)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LanguageModelError, match="INFOCPL_CACHE"):
        AnswerStore(tmp_path / "file").put("server", "Why?", FIELDS)


def test_the_usual_folder_lies_in_the_cache(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("INFOCPL_CACHE", str(tmp_path))
    assert AnswerStore().folder == tmp_path / "answers"
