"""Text encoders: sentences to unit vectors, offline, loaded only when something is to encode.

:mod:`.registry` finds an encoder by name, folder or file; :mod:`.sentence`, :mod:`.clip` and
:mod:`.precomputed` are the kinds there are, :mod:`.packaged` the models that Python packages carry,
:mod:`.splitting` what happens to texts longer than a model reads. docs/text-encoders.md tells it
to users.
"""

from __future__ import annotations

from infocpl.semantics.text.clip import ClipEncoder
from infocpl.semantics.text.precomputed import PrecomputedEncoder, save_precomputed
from infocpl.semantics.text.protocol import TextEncoder
from infocpl.semantics.text.registry import (
    create_text_encoder,
    list_text_encoders,
    locate_text_encoder,
    register_text_encoder,
    restore_text_encoder,
)
from infocpl.semantics.text.sentence import SentenceEncoder

__all__ = [
    "ClipEncoder",
    "PrecomputedEncoder",
    "SentenceEncoder",
    "TextEncoder",
    "create_text_encoder",
    "list_text_encoders",
    "locate_text_encoder",
    "register_text_encoder",
    "restore_text_encoder",
    "save_precomputed",
]
