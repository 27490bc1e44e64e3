"""A fixed set of speakers on whom the leak is measured too: no run has heard them, and they need no emotion labels."""

from __future__ import annotations

from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.evaluation.leak import PARTS


def unheard_speakers(leak_corpus: Corpus, corpus: Corpus) -> Corpus:
    """The utterances of those speakers of ``leak_corpus`` that can be told apart: who has five utterances or more.

    Both corpora have a column ``digest``.

    Raises:
        InputError: a speaker (by name) or a recording of it is in ``corpus`` too, which runs learn from, or fewer than
            two speakers can be told apart.
    """
    for column, what, remedy in (
        ("speaker", "speaker", "leave them out, or rename them where they are other people"),
        ("digest", "recording", "leave them out"),
    ):
        if column not in leak_corpus.table or column not in corpus.table:
            continue
        shared = leak_corpus.table[leak_corpus.table[column].isin(corpus.table[column].dropna())]
        if len(shared):
            name = shared["speaker" if column == "speaker" else "id"].iloc[0]
            raise InputError(
                f"{leak_corpus.source}: the leak is measured on speakers that no run has heard, but "
                f'{shared[column].nunique():,} of its {what}s, "{name}" for one, are in {corpus.source} too; {remedy}'
            )
    speakers = leak_corpus.column("speaker")
    enough = speakers.map(speakers.value_counts()) >= PARTS
    if speakers[enough].nunique() < 2:
        raise InputError(
            f"{leak_corpus.source}: fewer than two of its speakers have {PARTS} utterances, so no leak can be measured "
            "on them; give speakers with more"
        )
    return leak_corpus.take(enough)
