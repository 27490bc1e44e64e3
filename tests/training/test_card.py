import pytest

from unheard.recipe import Recipe
from unheard.training.card import model_card

FACTS = {
    "corpus": "tiny", "corpus_hash": "abc123", "synthetic": False, "protocol": "speaker-folds:5",
    "speaker_independent": True, "fold": 2, "seed": 7, "test": {"n": 41, "wa": 0.625, "ua": 0.5},
}  # fmt: skip


def card(**changes: object) -> str:
    return model_card(Recipe.load("tdnn"), ("angry", "sad"), FACTS | changes)


def test_the_card_says_what_it_is_and_how_it_was_tested():
    text = card()
    for fact in ("# tdnn", "angry, sad", "tiny (hash abc123)", "`speaker-folds:5`, fold 2, seed 7", "41 utterances"):
        assert fact in text
    assert "UA 50.0%, WA 62.5%" in text
    assert "synthesized" not in text
    assert "Do not use this\nto judge people" in text


@pytest.mark.parametrize(("independent", "said"), [(True, "speakers it never heard"), (False, "speakers IT HAD HEARD")])
def test_the_card_says_whether_the_test_speakers_were_new(independent: bool, said: str):
    assert said in card(speaker_independent=independent)


def test_the_card_says_what_else_was_heard():
    assert "tiny (hash abc123), with speech of books that has no emotion labels\n" in card(auxiliary="books")
    assert "no emotion labels" not in card()


def test_the_card_says_that_speech_was_synthesized():
    assert "**Trained on synthesized speech.**" in card(synthetic=True)
