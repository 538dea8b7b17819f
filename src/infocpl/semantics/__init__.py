"""Text side of zero-shot recognition: class names, descriptions and their features.

:mod:`.labels` holds class names, :mod:`.lexicon` what is known about actions, :mod:`.prompts`
turns an entry into sentences, :mod:`.text` and :mod:`.cache` turn sentences into vectors, and
:mod:`.codebook` puts them together. Importing this package loads no text model and no torch.
"""

from __future__ import annotations

from infocpl.semantics.cache import EmbeddingCache, cached_encode
from infocpl.semantics.codebook import Codebook, build_codebook
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.lexicon import (
    Lexicon,
    LexiconEntry,
    find_entry,
    list_lexicons,
    load_lexicon,
)
from infocpl.semantics.prompts import (
    GRANULARITIES,
    Description,
    compose,
    describe_name,
    motion_description,
)
from infocpl.semantics.text import (
    TextEncoder,
    create_text_encoder,
    list_text_encoders,
    register_text_encoder,
)

__all__ = [
    "GRANULARITIES",
    "Codebook",
    "Description",
    "EmbeddingCache",
    "LabelSet",
    "Lexicon",
    "LexiconEntry",
    "TextEncoder",
    "build_codebook",
    "cached_encode",
    "compose",
    "create_text_encoder",
    "describe_name",
    "find_entry",
    "list_lexicons",
    "list_text_encoders",
    "load_lexicon",
    "motion_description",
    "register_text_encoder",
]
