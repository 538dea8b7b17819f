"""infocpl: name human actions in skeleton sequences from text alone.

The folders follow the data: :mod:`infocpl.skeleton` (clips), :mod:`infocpl.data` (stores and
splits), :mod:`infocpl.encoders` (clip features), :mod:`infocpl.semantics` (descriptions and text
features), :mod:`infocpl.alignment` (the method), :mod:`infocpl.training`,
:mod:`infocpl.evaluation` and :mod:`infocpl.apps`. Importing this package imports none of them.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
