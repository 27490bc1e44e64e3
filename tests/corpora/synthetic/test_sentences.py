from __future__ import annotations

import pytest

from unheard.corpora.synthetic import SENTENCES
from unheard.corpora.synthetic.espeak import LANGUAGE_FILES


def test_every_language_has_a_voice() -> None:
    assert set(SENTENCES) == set(LANGUAGE_FILES)


@pytest.mark.parametrize("language", SENTENCES)
def test_sentences_are_different_and_unmarked(language: str) -> None:
    sentences = SENTENCES[language].scripted + SENTENCES[language].improvised
    assert len(set(sentences)) == len(sentences) >= 8
    # An exclamation or question mark would change the melody, and so be a cue of the text.
    assert all(sentence.endswith(".") and not {"!", "?"} & set(sentence) for sentence in sentences)
