"""The quality page: numbers as measured, nothing foreign, nothing half written."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from infocpl.apps.report.codebook_page import quality_notes, quality_rows, write_quality
from infocpl.errors import ConfigError, OutputExistsError
from infocpl.semantics import LabelSet, build_codebook
from infocpl.semantics.quality_report import measure_quality

NAMES = ("donning", "doffing", "throw", "juggling", "sit down")


@pytest.fixture(scope="module")
def book(trigrams):
    return build_codebook(NAMES, trigrams, dataset="nw-ucla", count=30)


@pytest.fixture(scope="module")
def quality(book):
    return measure_quality(book)


def cells(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in rows]


def test_the_page_shows_the_numbers_that_were_measured(book, quality, tmp_path):
    path = write_quality(book, quality, tmp_path / "page.html")
    shown = cells(path.read_text(encoding="utf-8"))
    for row in quality_rows(quality):
        assert [row["title"], row["by_mean"], row["by_row"], row["rows"]] in shown
    for row in quality["separation"]:
        (line,) = (line for line in shown if line[0] == row["class"])
        assert line[1:3] == [row["nearest"], f"{row['cosine']:.2f}"]


def test_percentages_are_those_of_the_measure(quality):
    rows = {row["title"]: row for row in quality_rows(quality)}
    assert rows["single sentences"]["by_mean"] == (
        f"{100 * quality['retrieval']['held_out']['single']['by_mean']:.1f}"
    )
    assert rows["1 put-on and take-off pairs, either of the two"]["by_mean"] == (
        f"{100 * quality['put_on_take_off']['either']:.1f}"
    )
    assert not any("mirrored" in title for title in rows)


def test_agreement_is_told_where_it_was_measured(quality):
    agreement = {"spearman": 0.625, "by_names": -0.125, "classes": 4, "clips": 77}
    assert len(quality_notes(quality, None)) == 2
    note = quality_notes(quality, agreement)[2]
    assert "0.62 over 4 seen classes and 77 clips (bare names: -0.12)" in note


def test_a_class_known_by_name_only_is_warned_of(book, quality, tmp_path):
    page = write_quality(book, quality, tmp_path / "page.html").read_text(encoding="utf-8")
    banner = page[page.index('id="name-only-banner"') :]
    assert "juggling" in banner[: banner.index("</div>")]
    known = book.subset(["throw", "donning"])
    other = write_quality(known, measure_quality(known), tmp_path / "other.html")
    assert "name-only-banner" not in other.read_text(encoding="utf-8")


def test_repeats_are_shown_side_by_side(book, tmp_path):
    descriptions = book.descriptions.copy()
    descriptions[2, 4] = descriptions[2, 1]
    spoilt = replace(book, descriptions=descriptions)
    path = write_quality(spoilt, measure_quality(spoilt), tmp_path / "page.html")
    section = path.read_text(encoding="utf-8").partition('id="repeats"')[2]
    assert book.rows[2][1].text in section
    assert book.rows[2][4].text in section


def test_nothing_is_loaded_and_no_name_becomes_markup(book, tmp_path):
    hostile = '<img src=x onerror="alert(1)">'
    named = replace(book, labels=LabelSet((hostile, *book.labels.names[1:])))
    page = write_quality(named, measure_quality(named), tmp_path / "p.html").read_text("utf-8")
    assert hostile not in page
    assert "&lt;img" in page
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "default-src 'none'" in page


def test_an_existing_page_is_replaced_only_on_request(book, quality, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(OutputExistsError):
        write_quality(book, quality, path)
    assert path.read_text() == "mine"
    write_quality(book, quality, path, overwrite=True)
    assert path.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_folder_and_an_unwritable_place_are_one_error(book, quality, tmp_path):
    with pytest.raises(ConfigError, match="is a folder"):
        write_quality(book, quality, tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_quality(book, quality, tmp_path / "file" / "page.html")
