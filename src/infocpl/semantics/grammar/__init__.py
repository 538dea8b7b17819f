"""A grammar of motion: what an action is, read from its name alone.

:mod:`.vocabulary` holds some 490 actions, the things and places of the body they involve, and the
words around them; :mod:`.reading` reads a name with it.
"""

from __future__ import annotations

from infocpl.semantics.grammar.reading import CONFIDENT, Reading, WordReading, read_name

__all__ = ["CONFIDENT", "Reading", "WordReading", "read_name"]
