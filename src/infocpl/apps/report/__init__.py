"""One self-contained HTML page about a zero-shot run: numbers, figures, moving skeletons."""

from infocpl.apps.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
