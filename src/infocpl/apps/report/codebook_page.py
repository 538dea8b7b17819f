"""One page about the quality of a codebook: numbers, a map of the classes, a tree."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from infocpl.apps.report.class_map import map_figure, tree_figure
from infocpl.apps.report.player import percent
from infocpl.errors import ConfigError, OutputExistsError
from infocpl.files import atomic_path
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.quality import class_similarity

__all__ = ["quality_notes", "quality_rows", "render_quality", "write_quality"]


def quality_rows(quality: Mapping[str, Any]) -> list[dict[str, str]]:
    """The retrieval table in words: what is held out, and how often it leads back.

    Parameters
    ----------
    quality : from :func:`infocpl.semantics.quality_report.measure_quality`

    Returns
    -------
    rows with ``title``, ``by_mean``, ``by_row`` (percent) and ``rows``
    """
    retrieval = quality["retrieval"]
    held = retrieval["held_out"]
    titles = {"all": "held out: any row", "single": "single sentences", "compound": "compounds"}
    rows = [
        {
            "title": "motion description (not among the rows)",
            "by_mean": percent(retrieval["motion"]["by_mean"]),
            "by_row": "",
            "rows": str(len(quality["classes"])),
        },
        _row("any row, only itself held out", retrieval["alone"]),
    ]
    rows += [_row(titles.get(name, f"kind: {name}"), shares) for name, shares in held.items()]
    for kind, title in (("put_on_take_off", "put-on and take-off"), ("mirrored", "mirrored")):
        pairs = quality[kind]
        if pairs is None:
            continue
        count = len(pairs["pairs"])
        parts = [("", "by_mean"), (", either of the two", "either")]
        # Where every class is half of a pair there are no others.
        parts += [(", all other classes", "others")] if pairs["others"] is not None else []
        rows += [
            {
                "title": f"{count} {title} pairs{what}",
                "by_mean": percent(pairs[key]),
                "by_row": "",
                "rows": "",
            }
            for what, key in parts
        ]
    return rows


def quality_notes(quality: Mapping[str, Any], agreement: Mapping[str, Any] | None) -> list[str]:
    """What stands beside the table, a sentence each."""
    repeats = quality["repeats"]
    notes = [
        f"{len(repeats)} pairs of sentences of one class above a cosine of {quality['limit']:g} "
        "that are not each other's mirror image"
        + (f" (the closest: {quality['closest']:.3f})" if quality["closest"] > 0 else "")
    ]
    near = max(quality["separation"], key=lambda row: row["cosine"])
    notes.append(
        f"the two classes most alike: {near['class']} and {near['nearest']} "
        f"(cosine {near['cosine']:.2f} once what all classes share is removed)"
    )
    if agreement is not None:
        notes.append(
            f"rank correlation between likeness of descriptions and of movement: "
            f"{agreement['spearman']:.2f} over {agreement['classes']} seen classes and "
            f"{agreement['clips']} clips (bare names: {agreement['by_names']:.2f})"
        )
    return notes


def render_quality(
    codebook: Codebook, quality: Mapping[str, Any], agreement: Mapping[str, Any] | None = None
) -> str:
    """HTML of the page; see :func:`write_quality`."""
    folder = resources.files(__package__) / "templates"
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((folder / "codebook.html").read_text(encoding="utf-8"))
    similarity = class_similarity(codebook.descriptions, codebook.mask)
    wrong = quality["retrieval"]["motion"]["wrong"]
    return template.render(
        quality=quality,
        rows=quality_rows(quality),
        notes=quality_notes(quality, agreement),
        classes=[
            {
                "name": row["class"],
                "nearest": row["nearest"],
                "cosine": f"{row['cosine']:.2f}",
                "motion": wrong.get(row["class"], "itself"),
            }
            for row in quality["separation"]
        ],
        map=map_figure(codebook.labels.names, similarity, "map"),
        tree=tree_figure(codebook.labels.names, similarity, "tree"),
        percent=percent,
        # Our own file, as it is.
        style=Markup((folder / "style.css").read_text(encoding="utf-8")),  # noqa: S704
    )


def write_quality(
    codebook: Codebook,
    quality: Mapping[str, Any],
    path: Path,
    *,
    agreement: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write one self-contained HTML page; it opens from disk without a network.

    Parameters
    ----------
    codebook : C >= 2 classes
    quality : its :func:`~infocpl.semantics.quality_report.measure_quality`
    path : the HTML file; written whole or not at all
    agreement : of :func:`~infocpl.semantics.quality_report.measure_agreement`, if known

    Raises
    ------
    OutputExistsError : if `path` exists and `overwrite` is false
    ConfigError : if `path` is a folder or cannot be written
    """
    path = Path(path)
    if path.is_dir():
        raise ConfigError(f"{path} is a folder; the report needs the name of a file")
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists already")
    text = render_quality(codebook, quality, agreement)
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _row(title: str, shares: Mapping[str, Any]) -> dict[str, str]:
    return {
        "title": title,
        "by_mean": percent(shares["by_mean"]),
        "by_row": percent(shares["by_row"]),
        "rows": str(shares["rows"]),
    }
