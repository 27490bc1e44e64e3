import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from unheard.audit.audit import audit
from unheard.audit.rendering import audit_html, audit_text, render
from unheard.corpora.corpus import Corpus
from unheard.corpora.editions import Nearest
from unheard.protocols import get_protocol
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


def test_a_column_of_any_name_is_only_text_in_the_page(balanced):
    corpus = balanced.with_columns(**{"<b>": "same"})
    found = audit(corpus, get_protocol("speaker-folds:3"), apart={"<b>": ("test-train",)})
    assert "<b>" not in audit_html(found)
    assert "&lt;b&gt;s: how many are shared" in audit_html(found)


def test_text_says_what_was_audited_and_the_verdict_first(balanced):
    lines = audit_text(audit(balanced, get_protocol("speaker-folds:3"), seed=4), 100).splitlines()
    assert lines[0] == "Audit of corpus under speaker-folds:3 (seed 4)"
    assert lines[1] == "speaker-independent: no test speaker is heard in training (3 folds, 6 test speakers)"
    assert (
        "copies       the audio was not compared, so identical and near-identical recordings were not looked for"
        in (audit_text(audit(balanced), 120))
    )
    assert any(line.split() == ["3", "8", "8", "8", "0/0/0"] for line in lines)


def test_text_says_how_far_the_speaker_predicts_the_emotion(balanced, confounded):
    text = " ".join(audit_text(audit(confounded, get_protocol("random-folds:4"))).split())
    assert "speaker alone nearly gives the emotion: guessing by it is right for 100 % of the utterances, by" in text
    text = " ".join(audit_text(audit(balanced, get_protocol("speaker-folds:3"))).split())
    assert "speaker alone predicts the emotion no better than chance (guessing by it is right for 50 %" in text


def test_speakers_of_one_utterance_each_are_no_proof():
    found = audit(make_corpus([f"s{row}" for row in range(40)], ["angry", "sad"] * 20))
    text = " ".join(audit_text(found).split())
    assert (
        "no better than chance (guessing by it is right for 100 % of the utterances, by chance for 100 %; p = 1)"
        in text
    )


def test_a_weak_hint_is_not_called_a_prediction():
    emotions = [*(["angry"] * 230 + ["sad"] * 270), *(["angry"] * 270 + ["sad"] * 230)]
    text = " ".join(audit_text(audit(make_corpus(np.repeat(["a", "b"], 500), emotions))).split())
    assert "speaker alone says little about the emotion: guessing by it is right for 54 %" in text


def test_synthetic_speech_is_labelled(balanced):
    synthetic = Corpus.from_table(balanced.table.assign(corpus="synthetic"), ".")
    assert "SYNTHETIC" in audit_text(audit(synthetic, get_protocol("speaker-folds:3"))).splitlines()[0]
    assert "SYNTHETIC" in audit_html(audit(synthetic, get_protocol("speaker-folds:3")))


@pytest.mark.parametrize("width", [60, 80, 100])
def test_text_fits_the_width(width):
    speakers = [f"a speaker whose name is much longer than any column of a table {index}" for index in range(80)]
    corpus = make_corpus(
        np.repeat(speakers, 4),
        ["angry", "sad", "fear", "calm"] * 80,
        session=[f"session {row % 3}" for row in range(320)],
        text=[f"text {row % 5}" for row in range(320)],
        digest=[str(row // 2) for row in range(320)],
        likeness=[row // 3 for row in range(320)],
    )
    nearest = {"made": Nearest("one", {"angry": (80, 3), "utterances": (12345, 5)})}
    text = audit_text(audit(corpus, get_protocol("leave-one-speaker-out"), published=nearest), width)
    assert max(map(len, text.splitlines())) <= width
    assert "… and 20 more folds" in text
    said = 'nearest is the edition "one" of made: angry 80 instead of 3, utterances 12,345 instead of 5'
    assert said in " ".join(text.split())


def test_text_is_as_wide_as_the_terminal(balanced, monkeypatch):
    found = audit(balanced, get_protocol("random-folds:3"))
    for columns, width in (("20", 60), ("72", 72), ("200", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        assert audit_text(found) == audit_text(found, width)


def test_all_of_it_as_json_and_as_a_page(balanced):
    found = audit(balanced, get_protocol("speaker-folds:3"))
    assert json.loads(render(found, "json")) == json.loads(json.dumps(found.to_dict()))
    assert render(found, "text") == audit_text(found)
    assert render(found, "html").startswith("<!doctype html>")


def test_copies_are_listed(balanced):
    table = balanced.table.assign(likeness=[0, 0, 1, 1, *range(2, 22)])
    text = " ".join(audit_text(audit(Corpus.from_table(table, "."))).split())
    assert "copies 2 recordings are there more than once: 0.wav ~ 1.wav, 2.wav ~ 3.wav (in whole or in part" in text
    files = Corpus.from_table(table.drop(columns="likeness").assign(digest=[*"aa", *map(str, range(22))]), ".")
    text = " ".join(audit_text(audit(files)).split())
    assert "1 recording is there more than once: 0.wav ~ 1.wav (identical files; near-identical ones were not" in text


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
