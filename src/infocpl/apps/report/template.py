"""Page templates filled in, and pages written whole."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from infocpl.errors import ConfigError
from infocpl.files import atomic_path

__all__ = ["render_template", "write_page"]


def render_template(name: str, **values: Any) -> str:
    """Fill in a page template; player and style become part of it."""
    folder = resources.files(__package__) / "templates"
    script = (folder / "player.js").read_text(encoding="utf-8")
    style = (folder / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda part: (folder / part).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(
        **values,
        # Our own files; the page's security policy lets no other script run.
        script=Markup(script),  # noqa: S704
        style=Markup(style),  # noqa: S704
        script_hash=f"sha256-{digest}",
    )


def write_page(path: Path, text: str) -> Path:
    """Write an HTML page whole or not at all.

    Raises
    ------
    ConfigError : if `path` is a folder or cannot be written
    """
    if path.is_dir():
        raise ConfigError(f"{path}: expected the name of an HTML file, got a folder")
    # Lone surrogates can come out of JSON, but not go into UTF-8.
    data = text.encode("utf-8", "replace")
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error
    return path
