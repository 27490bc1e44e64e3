from html.parser import HTMLParser

import numpy as np
import pandas as pd

from unheard.audit.audit import audit
from unheard.audit.page import audit_page
from unheard.corpora import Corpus
from unheard.corpora.editions import Nearest
from unheard.protocols import get_protocol
from unheard.protocols.fold import Fold

VOID = {"meta", "link"}


class Page(HTMLParser):
    """Sees to it that every element is closed in order, and collects what it shows and what it would fetch."""

    def __init__(self, page):
        super().__init__()
        self.open, self.text, self.links, self.classes = [], "", [], set()
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href")]
        self.classes |= {word for name, value in attributes if name == "class" for word in value.split()}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.text += data


def corpus(**columns):
    table = pd.DataFrame({"speaker": np.repeat([*"abcdef"], 8), "emotion": np.repeat(["angry", "sad"] * 3, 8)})
    table = table.assign(audio=[f"{row}.wav" for row in range(48)], corpus="made <i>here</i>")
    return Corpus.from_table(table.assign(**columns), ".")


def test_a_page_says_everything_and_fetches_nothing():
    likeness = [0, *range(47)]
    found = audit(
        corpus(likeness=likeness), get_protocol("random-folds:4"), published={"made": Nearest("one", {"sad": (24, 25)})}
    )
    page = Page(audit_page(found))
    assert page.links == ["data:,"]
    for sentence in (found.verdict, *found.broken, *found.warnings, "made <i>here</i>", "0.wav ~ 1.wav"):
        assert sentence in page.text
    assert "sad 24 instead of 25" in page.text
    assert "speaker alone nearly gives the emotion" in page.text
    assert page.text.count("random-folds:4") == 2


def test_the_colour_says_how_good_the_news_is():
    def state(found):
        return Page(audit_page(found)).classes & {"good", "fair", "bad"}

    assert state(audit(corpus(), get_protocol("speaker-folds:3"))) == {"good"}
    assert state(audit(corpus(), get_protocol("random-folds:3"))) == {"bad"}
    assert state(audit(corpus())) == {"fair"}
    twice = [Fold("1", [0, 0, 9], [20], [40])]
    assert "bad" in state(audit(corpus(), None, twice))


def test_a_corpus_without_folds_or_emotions_has_a_page():
    table = corpus().table.drop(columns=["emotion", "speaker"])
    page = Page(audit_page(audit(Corpus.from_table(table, "."))))
    assert "No utterance has an emotion" in page.text
    assert "The folds" not in page.text
