"""``infocpl inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infocpl.apps.cli.data_commands import Inspect
from infocpl.errors import ConfigError, OutputExistsError

if TYPE_CHECKING:
    from infocpl.apps.inspection import ClipView

__all__ = ["run_inspect"]


def run_inspect(options: Inspect) -> int:
    """Print facts and problems; draw a picture if one is wanted."""
    from infocpl.apps.inspection import ClipView, inspect_path
    from infocpl.apps.picture import PICTURES
    from infocpl.apps.progress import Reporter
    from infocpl.data import find_dataset

    if options.out is not None:
        if options.out.suffix.lower() not in (*PICTURES, ".html"):
            raise ConfigError(
                f"--out: expected a name ending in .png, .svg or .html: {options.out}"
            )
        if options.out.exists() and not options.overwrite:
            raise OutputExistsError(f"{options.out} exists already; add --overwrite to replace it")
    dataset = find_dataset(options.dataset) if options.dataset is not None else None
    with Reporter().count(f"looking at {options.path}") as progress:
        found = inspect_path(
            options.path,
            clip=options.clip,
            format=options.format,
            dataset=dataset,
            progress=progress,
        )
    view = found if isinstance(found, ClipView) else found.shown
    print(found.title)
    for name, value in found.facts:
        print(f"  {name}: {value}")
    if isinstance(found, ClipView):
        print("problems:" if found.problems else "no problems found")
        for problem in found.problems:
            print(f"  {problem.text}")
    else:
        print("clips with problems:" if found.problems else "no problems found")
        for kind, number, example in found.problems:
            print(f"  {number:6d}  {kind} (such as {example})")
        if found.counts:
            print("clips of each class:")
            for name, number in found.counts:
                print(f"  {number:6d}  {name}")
    if options.out is not None:
        _draw(options, view)
    return 0


def _draw(options: Inspect, view: ClipView | None) -> None:
    from infocpl.apps.picture import draw_clip
    from infocpl.apps.report.clip_page import write_clip_page

    if view is None or options.out is None:
        raise ConfigError(f"{options.path}: there is no clip to draw")
    title = f"{view.title} ({options.path})" if view.title != options.path.name else view.title
    if options.out.suffix.lower() == ".html":
        write_clip_page(
            view.clip, options.out, title=title, facts=view.facts, problems=view.problems
        )
    else:
        draw_clip(view.clip, options.out, title=title, problems=view.problems)
    print(f"picture of {view.title}: {options.out}")
