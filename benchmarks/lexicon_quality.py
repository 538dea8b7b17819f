"""Quality of every shipped lexicon with the default text encoder: all classes, all sentences.

Checks what the tests check on a sample: at least 100 sentences a class, no two of one class above
a cosine of 0.98 except mirror images; and prints retrieval, time and memory. Vectors are cached
(INFOCPL_CACHE), so that a second run takes seconds.

    python benchmarks/lexicon_quality.py [--datasets ntu120 pku-mmd] [--text-encoder minilm]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

from infocpl.semantics import (
    EmbeddingCache,
    build_codebook,
    create_text_encoder,
    list_lexicons,
    load_lexicon,
)
from infocpl.semantics.quality_report import measure_quality


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", nargs="+", default=list_lexicons())
    parser.add_argument("--text-encoder", default="minilm")
    options = parser.parse_args()
    encoder = create_text_encoder(options.text_encoder)
    cache = EmbeddingCache()
    failures = 0
    for name in options.datasets:
        started = time.perf_counter()
        lexicon = load_lexicon(name)
        loaded = time.perf_counter()
        book = build_codebook(lexicon.names, encoder, lexicon=lexicon, cache=cache)
        built = time.perf_counter()
        found = measure_quality(book)
        retrieval = found["retrieval"]
        held, alone = retrieval["held_out"], retrieval["alone"]
        sentences = found["sentences"]
        print(
            f"{name}: {len(book)} classes, {int(book.mask.sum())} sentences "
            f"({sentences['least']} to {sentences['most']} a class); lexicon loaded in "
            f"{1000 * (loaded - started):.0f} ms, codebook built in {built - loaded:.1f} s, "
            f"measured in {time.perf_counter() - built:.1f} s, peak "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB"
        )
        print(
            f"  back to its class: motion description {retrieval['motion']['by_mean']:.1%}; "
            f"a row hidden alone {alone['by_row']:.1%} by nearest row, {alone['by_mean']:.1%} by "
            f"class mean; with its relatives {held['all']['by_mean']:.1%} by class mean "
            f"(single {held['single']['by_mean']:.1%}, compound "
            f"{held['compound']['by_mean']:.1%}, definition {held['definition']['by_mean']:.1%})"
        )
        for kind in ("put_on_take_off", "mirrored"):
            if pairs := found[kind]:
                others = "" if pairs["others"] is None else f", all others {pairs['others']:.1%}"
                print(
                    f"  {len(pairs['pairs'])} pairs {kind.replace('_', ' ')}: "
                    f"{pairs['by_mean']:.1%}, either of the two {pairs['either']:.1%}{others}"
                )
        for repeat in found["repeats"]:
            failures += 1
            print(f"  cosine {repeat['cosine']:.4f} in {repeat['class']!r}:")
            print(f"    {repeat['first']}\n    {repeat['second']}")
        if sentences["least"] < 100:
            failures += 1
            print(f"  a class has {sentences['least']} sentences only")
    print("ok" if not failures else f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
