from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.protocols import get_protocol
from unheard.protocols.audit import audit
from unheard.protocols.audit_rendering import audit_html, audit_text
from unheard.protocols.fold import Fold


def make_corpus(speakers, emotions, **columns):
    table = pd.DataFrame({"speaker": speakers, "emotion": emotions}).assign(**columns)
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), folder="corpus")


@pytest.fixture
def balanced():
    return make_corpus(np.repeat([*"abcdef"], 4), ["angry", "sad"] * 12)


@pytest.fixture
def confounded():
    return make_corpus(np.repeat([*"abcdef"], 8), np.repeat(["angry", "sad"] * 3, 8))


def test_text_says_what_was_audited_and_the_verdict_first(balanced):
    lines = audit_text(audit(balanced, get_protocol("speaker-folds:3"), seed=4)).splitlines()
    assert lines[0] == "Audit of corpus under speaker-folds:3 (seed 4)"
    assert lines[1] == "speaker-independent: no test speaker is heard in training (3 folds, 6 test speakers)"
    assert "recordings   identical recordings were not looked for: the corpus has no digests" in lines
    assert any(line.split() == ["3", "8", "8", "8", "0/0/0"] for line in lines)


def test_text_says_how_far_the_speaker_predicts_the_emotion(balanced, confounded):
    text = " ".join(audit_text(audit(confounded, get_protocol("random-folds:4"))).split())
    assert "speaker alone nearly gives the emotion: that of 100 % of the utterances (chance 50 %)" in text
    text = " ".join(audit_text(audit(balanced, get_protocol("speaker-folds:3"))).split())
    assert "speaker alone gives the emotion no better than chance" in text


def test_synthetic_speech_is_labelled(balanced):
    synthetic = Corpus.from_table(balanced.table.assign(corpus="synthetic"), ".")
    assert "SYNTHETIC" in audit_text(audit(synthetic, get_protocol("speaker-folds:3"))).splitlines()[0]
    assert "SYNTHETIC" in audit_html(audit(synthetic, get_protocol("speaker-folds:3")))


def test_text_fits_a_hundred_columns():
    speakers = [f"a speaker whose name is much longer than any column of a table {index}" for index in range(80)]
    corpus = make_corpus(
        np.repeat(speakers, 4),
        ["angry", "sad", "fear", "calm"] * 80,
        session=[f"session {row % 3}" for row in range(320)],
        text=[f"text {row % 5}" for row in range(320)],
        digest=[str(row) for row in range(320)],
    )
    text = audit_text(audit(corpus, get_protocol("leave-one-speaker-out"), published={"one": {"angry": 3}}))
    assert max(map(len, text.splitlines())) <= 100
    assert "… and 20 more folds" in text
    assert 'not as published; nearest is the edition "one": angry +77' in text


def test_broken_promises_are_told(balanced):
    protocol = get_protocol("speaker-folds:3")
    first = protocol.folds(balanced)[0]
    leaking = [Fold("1", np.append(first.train, first.test[0]), first.dev, first.test[1:])]
    found = audit(balanced, protocol, leaking)
    assert "BROKEN       1 speaker of test in train of the same fold" in audit_text(found)
    assert '<section class="audit broken">' in audit_html(found)


class Balance(HTMLParser):
    """Collects the text and sees to it that every element is closed in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.text = [], set(), ""

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_html_is_well_formed_and_escaped():
    corpus = make_corpus(np.repeat(["<b>", "a&b", "c"], 4), ["angry", "sad"] * 6, corpus="<script>alert(1)</script>")
    found = audit(corpus, get_protocol("leave-one-speaker-out"))
    page = Balance()
    page.feed(audit_html(found))
    assert page.open == []
    assert page.seen == {"section", "h2", "p", "dl", "dt", "dd", "table", "caption", "thead", "tr", "th", "tbody", "td"}
    assert found.verdict in page.text
    assert "<script>alert(1)</script>" in page.text
    assert "a&b" in page.text
