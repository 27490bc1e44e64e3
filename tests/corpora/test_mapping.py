from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unheard.corpora.corpus import Corpus
from unheard.corpora.mapping import LabelMapping, mapping_names
from unheard.errors import InputError
from unheard.seeds import generator


def corpus_of(**columns) -> Corpus:
    table = pd.DataFrame(columns)
    return Corpus.from_table(table.assign(audio=[f"{row}.wav" for row in range(len(table))]), ".", "m.csv")


def mapping(**values) -> LabelMapping:
    return LabelMapping.check({"name": "mine", "about": ""} | values, "mine.yaml")


EMOTIONS = ["angry", "excited", "happy", "fear", "neutral", "sad", None]


@pytest.mark.parametrize("name", mapping_names())
def test_every_built_in_mapping_says_what_it_is(name: str):
    found = LabelMapping.load(name)
    assert (found.name, bool(found.about)) == (name, True)
    assert LabelMapping.check(found.to_dict(), "again") == found


def test_merge_and_keep():
    kept = LabelMapping.load("four").apply(corpus_of(emotion=EMOTIONS, speaker=list("abcdefg"))).table
    assert kept["emotion"].tolist() == ["angry", "happy", "happy", "neutral", "sad"]
    assert kept["speaker"].tolist() == ["a", "b", "c", "e", "f"]


def test_where():
    corpus = corpus_of(emotion=["sad"] * 4, style=["improvised", "scripted", None, "improvised"])
    assert LabelMapping.load("four-improvised").apply(corpus).table["id"].tolist() == ["0.wav", "3.wav"]
    with pytest.raises(InputError, match=r'm\.csv: the column "style" is missing'):
        LabelMapping.load("four-improvised").apply(corpus_of(emotion=["sad"]))
    with pytest.raises(InputError, match="four leaves no utterance of it"):
        LabelMapping.load("four").apply(corpus_of(emotion=["fear"]))


def test_levels_include_their_upper_edge_and_differ_by_corpus():
    valence = [1, 2, 2.001, 2.5, 3.5, 3.501, 5, None]
    corpus = corpus_of(emotion=["sad"] * 16, valence=valence * 2, corpus=["iemocap"] * 8 + ["msp-improv"] * 8)
    table = LabelMapping.load("valence-levels").apply(corpus).table
    assert table["emotion"].iloc[:7].tolist() == ["low", "low", "middle", "middle", "middle", "high", "high"]
    assert table["emotion"].iloc[8:15].tolist() == ["low", "low", "low", "low", "middle", "high", "high"]
    assert table["emotion"].isna().tolist() == ([False] * 7 + [True]) * 2
    assert set(table["category"]) == {"sad"}


def test_levels_of_an_unknown_corpus_are_not_made_up():
    corpus = corpus_of(emotion=["sad"], valence=[3], corpus=["calls"])
    with pytest.raises(InputError, match=r'no levels of valence for the corpus "calls", only for iemocap, msp-improv'):
        LabelMapping.load("valence-levels").apply(corpus)


def plane(rows: int = 90) -> Corpus:
    """Three clouds in the valence–activation plane, one utterance without valence."""
    draw = generator(0, "three clouds")
    centres = np.array([[4, 3.4], [1.8, 3.7], [2.6, 1.5]])
    points = np.repeat(centres, rows // 3, axis=0) + 0.1 * draw.standard_normal((rows, 2))
    corpus = corpus_of(emotion=["happy"] * rows, valence=points[:, 0].round(3), activation=points[:, 1].round(3))
    table = corpus.table
    table.loc[0, "valence"] = np.nan
    return Corpus(table, corpus.folder, corpus.source)


def test_clusters_are_numbered_by_valence():
    table = LabelMapping.load("clusters-3").apply(plane()).table
    assert pd.isna(table["emotion"].iloc[0])
    assert table["emotion"].iloc[1:].tolist() == ["cluster-3"] * 29 + ["cluster-1"] * 30 + ["cluster-2"] * 30


def test_clusters_fitted_on_train_do_not_see_the_other_rows():
    corpus = plane()
    train = np.r_[1:30, 30:60]  # without the third cloud
    learned = LabelMapping.load("clusters-3-train").apply(corpus)
    refitted = LabelMapping.load("clusters-3-train").fitted_on(learned, train)
    assert set(learned.table["emotion"].iloc[60:]) == {"cluster-2"}
    assert refitted.table["emotion"].iloc[train].nunique() == 3
    moved = corpus.table.assign(valence=corpus.table["valence"].where(corpus.table.index < 60, 1.0))
    again = LabelMapping.load("clusters-3-train").fitted_on(Corpus(moved, corpus.folder, ""), train)
    assert refitted.table["emotion"].iloc[train].tolist() == again.table["emotion"].iloc[train].tolist()


def test_clusters_of_the_whole_corpus_stay():
    learned = LabelMapping.load("clusters-3").apply(plane())
    assert LabelMapping.load("clusters-3").fitted_on(learned, [1, 2, 3]) is learned


def test_another_column_takes_the_emotions_place():
    corpus = corpus_of(emotion=["sad", "sad", "angry"], speaker=["a", "b", None])
    table = LabelMapping.load("speaker").apply(corpus).table
    assert table["emotion"].iloc[:2].tolist() == ["a", "b"]
    assert table["emotion"].isna().tolist() == [False, False, True]
    assert table["category"].tolist() == ["sad", "sad", "angry"]
    with pytest.raises(InputError, match=r'm\.csv: the column "speaker" is missing'):
        LabelMapping.load("speaker").apply(corpus_of(emotion=["sad"]))


def test_too_few_ratings_for_the_clusters():
    corpus = corpus_of(emotion=["sad"] * 4, valence=[1, 1, 2, 2], activation=[3, 3, 3, 3])
    with pytest.raises(InputError, match="3 clusters of valence and activation need as many different ratings, and 2"):
        LabelMapping.load("clusters-3").apply(corpus)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"merge": {"excitd": "happy"}}, r'mine\.yaml: there is no emotion "excitd"; did you mean "excited"'),
        ({"keep": ["low"]}, 'there is no emotion "low"'),
        ({"levels": {"column": "valence", "edges": {"a": [2]}}}, "3 levels need 2 rising edges, and a has"),
        ({"levels": {"column": "valence", "edges": {"a": [3, 2]}}}, "2 rising edges"),
        ({"merge": {"excited": "happy"}, "keep": ["excited"]}, '"excited" is kept, but it has become "happy" before'),
        ({"levels": {"column": "valence", "names": ["a", "a"], "edges": {}}}, "two levels have the same name"),
        ({"clusters": {"k": 1}}, r'"clusters\.k" is 1'),
        ({"clusters": {"k": 3}, "levels": {"column": "valence", "edges": {}}}, "has more than one of them"),
        ({"wher": {}}, 'there is no key "wher"; did you mean "where"'),
    ],
)
def test_a_wrong_mapping_is_one_sentence(values, problem: str):
    with pytest.raises(InputError, match=problem):
        mapping(**values)


def test_files(tmp_path: Path):
    path = tmp_path / "two.yaml"
    path.write_text("about: two\nkeep: [angry, sad]\n", encoding="utf-8")
    assert LabelMapping.load(path).name == "two"
    assert LabelMapping.load(path).apply(corpus_of(emotion=EMOTIONS)).table["emotion"].tolist() == ["angry", "sad"]
    with pytest.raises(InputError, match=r"there is no such label mapping; activation-levels, .* are built in"):
        LabelMapping.load(tmp_path / "three.yaml")
    with pytest.raises(InputError, match=r'there is no label mapping "fuor"; did you mean "four"'):
        LabelMapping.load("fuor")
    path.write_text("[", encoding="utf-8")
    with pytest.raises(InputError, match="this is not YAML"):
        LabelMapping.load(path)
    path.write_text("- a", encoding="utf-8")
    with pytest.raises(InputError, match="a label mapping is a mapping"):
        LabelMapping.load(path)


def test_levels_of_a_text_are_refused():
    corpus = corpus_of(emotion=["sad", "angry"], text=["yes", "no"], corpus=["a", "a"])
    with pytest.raises(InputError, match='the column "text" is no rating but text; levels need numbers'):
        mapping(levels={"column": "text", "names": ["low", "high"], "edges": {"a": [3]}}).apply(corpus)
