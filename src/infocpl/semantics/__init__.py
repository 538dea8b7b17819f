"""Text side of zero-shot recognition: class names, descriptions and their features.

:mod:`.labels` holds class names, :mod:`.lexicon` what is known about actions, :mod:`.prompts`
turns an entry into sentences, :mod:`.grammar` and :mod:`.describing` describe names that no lexicon
holds, :mod:`.text` and :mod:`.cache` turn sentences into vectors, and
:mod:`.build` puts them together to a :mod:`.codebook`. Importing this package loads no text model
and no torch.
"""

from __future__ import annotations

from infocpl.semantics.build import build_codebook
from infocpl.semantics.cache import EmbeddingCache, cached_encode
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.describing import Described, describe, describe_all, write_described
from infocpl.semantics.description_choice import DescriptionChoice
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.grammar import Reading, read_name
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.lexicon import Lexicon, find_entry, list_lexicons, load_lexicon
from infocpl.semantics.mirror import mirror_entry, mirror_text
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
from infocpl.semantics.traits import TRAIT_DIMENSIONS, Traits, trait_vector

__all__ = [
    "GRANULARITIES",
    "TRAIT_DIMENSIONS",
    "Codebook",
    "Described",
    "Description",
    "DescriptionChoice",
    "EmbeddingCache",
    "LabelSet",
    "Lexicon",
    "LexiconEntry",
    "Reading",
    "TextEncoder",
    "Traits",
    "build_codebook",
    "cached_encode",
    "compose",
    "create_text_encoder",
    "describe",
    "describe_all",
    "describe_name",
    "find_entry",
    "list_lexicons",
    "list_text_encoders",
    "load_lexicon",
    "mirror_entry",
    "mirror_text",
    "motion_description",
    "read_name",
    "register_text_encoder",
    "trait_vector",
    "write_described",
]
