"""``unheard reproduce`` as people use it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import unheard
from trees.command import Run, refused
from unheard.corpora import Corpus
from unheard.papers.paper import paper_names, published_results


def test_the_papers_are_listed(run: Run):
    text = run("reproduce").stdout
    for name in published_results()["paper"].unique():
        assert f"{name}: " in text
    for name in ("--study iemocap", "--study mandarin", "tdnn-cgt-large"):
        assert name in text


def test_the_published_table_alone(run: Run, tmp_path: Path):
    text = run("reproduce", "tu2019", "--table", "--study", "iemocap").stdout
    assert text.splitlines()[-1].split() == ["SER", "SR", "CGT", "55.6", "±", "0.8", "57.3", "±", "1.2"]
    assert "Table 3" not in text
    assert "Table 3" in run("reproduce", "tu2019", "--table").stdout
    for name in published_results()["paper"].unique():
        lines = run("reproduce", name, "--table").stdout.splitlines()
        assert max(map(len, lines)) <= 110
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_or_wrong_is_one_sentence(run: Run, tiny_corpus: Corpus):
    corpus = tiny_corpus.folder
    assert "give --corpus MANIFEST and --out F;" in refused(run("reproduce", "tu2019"))
    assert "give --out F;" in refused(run("reproduce", "tu2019", "--corpus", corpus))
    assert "did you mean" in refused(run("reproduce", "tu2091", "--table"))
    assert "it is one of" in refused(run("reproduce", "tu2019", "--table", "--study", "esd"))
    sentence = refused(run("reproduce", "tu2019", "--corpus", corpus, "--out", "f"))
    assert sentence.endswith("add for example --labels four --protocol leave-one-speaker-out")
    assert not Path("f").exists()
    for name in set(published_results()["paper"]) - set(paper_names()):
        assert "--table" in refused(run("reproduce", name, "--corpus", corpus, "--out", "f"))


def test_the_function_is_the_verb(tmp_path: Path, tiny_corpus: Corpus, small_overrides):
    overrides = [*small_overrides, "terms.speaker.hidden=[8]", "training.epochs=1"]
    rows = unheard.reproduce(
        "tu2019", tiny_corpus, tmp_path / "out", labels="four", protocol="speaker-folds:4", folds=[1], seeds=1,
        overrides=overrides, workers=1, cache=tmp_path / "cache",
    )  # fmt: skip
    assert rows["recipe"].tolist() == ["tdnn", "tdnn-mtl", "tdnn-dat", "tdnn-cgt"]
    assert rows["published_test"].tolist() == [53.9, 54.9, 56.5, 57.3]
    assert rows["test"].notna().all()
    assert (tmp_path / "out" / "reproduction.md").is_file()


def test_a_study_is_run_and_goes_on(run: Run, tmp_path: Path, tiny_corpus: Corpus, small_overrides):
    words = (
        "reproduce", "tu2019", *small_overrides, "terms.speaker.hidden=[8]", "--corpus", tiny_corpus.folder,
        "--labels", "four", "--protocol", "speaker-folds:4", "--seeds", 1, "--out", "out", "--workers", 1,
    )  # fmt: skip
    result = run(*words, "--folds", "1")
    assert result.exit_code == 0, result.output
    assert "1/1  55.6 ± 0.8  57.3 ± 1.2" in result.stdout
    said = " ".join(result.stdout.split())
    for part in (
        "too few speakers to tell", "another corpus (tiny, not iemocap)", "no utterance is happy or neutral",
        "another protocol (speaker-folds:4, not session-pairs)", "training.epochs=2, not 100",
        "training.batch_size=4 instead of 32",
    ):  # fmt: skip
        assert part in said, part
    for name in ("reproduction.md", "reproduction.csv", "report.html", "results.csv"):
        assert (tmp_path / "out" / name).is_file()
    rows = pd.read_csv(tmp_path / "out" / "reproduction.csv")
    results = pd.read_csv(tmp_path / "out" / "results.csv").set_index("recipe")
    assert rows["recipe"].tolist() == ["tdnn", "tdnn-mtl", "tdnn-dat", "tdnn-cgt"]
    assert rows["test"].tolist() == [round(100 * results["wa"][name], 4) for name in rows["recipe"]]

    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("result.json")}
    again = run(*words, "--folds", "1")
    assert again.stdout == result.stdout
    assert {file: file.stat().st_mtime_ns for file in before} == before
    other = run(*words, "training.epochs=3", "--folds", "1")
    assert 'another recipe "tdnn"' in refused(other)
    assert run("report", "out").exit_code == 0
