"""``infocpl describe --llm``: the whole way, killed and gone on with, against a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from infocpl.apps.cli import main
from infocpl.semantics import load_lexicon
from infocpl.semantics.llm.prompting import load_prompts

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

GROUPS = len(load_prompts().groups)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INFOCPL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("INFOCPL_LLM_KEY", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def describe(server, cache, capsys) -> Callable[..., tuple[int, str, list[str]]]:
    """Run the command without a text encoder: code, output, lines of errors."""

    def run(*arguments: object, labels: str = "hula hoop, arm wrestling"):
        options = ("--labels", labels, "--llm", server.url, "--llm-model", "tiny")
        code = main(
            [
                "describe",
                *options,
                "--text-encoder",
                "none",
                "--rate",
                "60000",
                *map(str, arguments),
            ]
        )
        said = capsys.readouterr()
        return code, said.out, said.err.splitlines()

    return run


def test_a_model_describes_what_no_lexicon_knows(describe, server, tmp_path):
    out = tmp_path / "out"
    code, told, errors = describe("--out", out, labels="hula hoop, sit down")
    assert code == 0
    assert "language model tiny" in told
    assert "lexicon" in told
    assert errors[0] == "asking tiny about hula hoop"
    assert f"tiny: {GROUPS} requests, {100 * GROUPS} tokens" in errors
    lexicon = load_lexicon(out / "lexicon.yaml")
    assert lexicon.names == ("hula hoop", "sit down")
    assert len(server.asked) == GROUPS


def test_a_model_may_be_asked_about_known_names_too(describe, server):
    code, told, _ = describe("--llm-all", labels="sit down")
    assert code == 0
    assert "language model tiny" in told
    assert len(server.asked) == GROUPS


def test_known_names_alone_need_no_request(describe, server):
    assert describe(labels="sit down")[0] == 0
    assert server.asked == []


def test_a_spent_budget_leaves_what_is_done_and_the_next_run_goes_on(describe, server, tmp_path):
    out = tmp_path / "out"
    code, told, errors = describe("--out", out, "--budget", GROUPS + 2)
    assert code == 1
    assert errors[-1].startswith("infocpl: error: the budget of 10 requests is spent; 1 of 2 names")
    assert load_lexicon(out / "lexicon.yaml").names == ("hula hoop",)
    assert "arm wrestling" not in told
    code, told, _ = describe("--out", out, "--overwrite")
    assert code == 0
    assert load_lexicon(out / "lexicon.yaml").names == ("hula hoop", "arm wrestling")
    assert len(server.asked) == 2 * GROUPS


def test_a_budget_too_small_for_one_name_writes_nothing(describe, tmp_path):
    code, _, errors = describe("--out", tmp_path / "out", "--budget", 3)
    assert code == 1
    assert "0 of 2 names are described" in errors[-1]
    assert not (tmp_path / "out").exists()


def test_unusable_answers_are_told_by_name(describe, server):
    server.behaviours = [("says", "Never!")]
    code, _, errors = describe("--repairs", 1)
    assert code == 1
    assert "'hula hoop': the answer of tiny about identity stayed unusable" in errors[-1]
    assert "'arm wrestling': " in errors[-1]
    assert len(server.asked) == 4


def test_json_says_which_model_it_was(describe):
    code, told, _ = describe("--json", labels="hula hoop")
    assert code == 0
    (item,) = json.loads(told)
    assert (item["name"], item["source"]) == ("hula hoop", "language model tiny")
    assert item["traits"]["repetition"] == "continuous"


def test_a_killed_run_goes_on_where_it_was(describe, server, cache):
    reached = GROUPS + 3
    arrived, leave = threading.Event(), threading.Event()

    def block(handler, body):
        arrived.set()
        leave.wait(30)

    server.behaviours = [*["well"] * reached, block]
    arguments = (
        "--labels",
        "hula hoop, arm wrestling",
        "--text-encoder",
        "none",
        "--rate",
        "60000",
    )
    program = "import sys; from infocpl.apps.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", program, "describe", *arguments),
            *("--llm", server.url, "--llm-model", "tiny"),
        ],
        env={**os.environ, "INFOCPL_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert arrived.wait(60)
    process.kill()
    process.wait(timeout=30)
    leave.set()
    kept = list((cache / "answers").rglob("*.json"))
    assert len(kept) == reached
    server.behaviours = ["well"]
    code, told, _ = describe()
    assert code == 0
    assert told.count("language model tiny") == 2
    # Only the question that was being answered is asked twice.
    assert len(server.asked) == 2 * GROUPS + 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--llm", "http://127.0.0.1:1"), "--llm and --llm-model are needed together"),
        (("--llm-model", "tiny"), "--llm and --llm-model are needed together"),
        (("--llm", "nonsense", "--llm-model", "tiny"), "expected http://HOST"),
        (("--llm", "http://127.0.0.1:1", "--llm-model", "tiny"), "nothing answers there"),
        (("--llm", "http://h", "--llm-model", "t", "--budget", "0"), "budget of requests"),
        (("--llm", "http://h", "--llm-model", "t", "--rate", "0"), "requests a minute"),
        (("--llm", "http://h", "--llm-model", "t", "--timeout", "0"), "timeout"),
    ],
)
def test_what_cannot_be_is_one_line(cache, capsys, arguments, words):
    assert main(["describe", "--labels", "hula hoop", "--text-encoder", "none", *arguments]) == 1
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("asking")]
    (line,) = lines
    assert line.startswith("infocpl: error: ")
    assert words in line


def test_a_key_is_never_printed(describe, server, monkeypatch, tmp_path):
    monkeypatch.setenv("INFOCPL_LLM_KEY", "sk-secret-12345")
    out = tmp_path / "out"
    code, told, errors = describe("--out", out, labels="hula hoop")
    assert code == 0
    assert server.headers_seen[0]["Authorization"] == "Bearer sk-secret-12345"
    written = "".join(p.read_text() for p in tmp_path.rglob("*") if p.suffix in (".json", ".yaml"))
    assert "sk-secret-12345" not in told + " ".join(errors) + written
