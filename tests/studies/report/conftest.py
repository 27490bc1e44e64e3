"""A finished study of small autoencoders, made once for all that look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from unheard.corpora import Corpus
from unheard.evaluation.leak import Leak
from unheard.frontends.store import FeatureStore
from unheard.recipe import Recipe
from unheard.studies.plan import Plan
from unheard.studies.run import run_one
from unheard.studies.study import write_results

#: Pictures of 8 × 16, codes of 3 × 2 × 4; what has no plateau needs no dev speakers.
SMALL = (
    "front_end.average=32", "front_end.frames=16", "front_end.silence=keep", "network.frames=16",
    "network.channels=[4,3]", "terms.reconstruction.channels=[4]", "optimizer.schedule=constant",
    "training.epochs=1", "training.batch_size=8",
    *(f"terms.{term}.{key}" for term in ("emotion", "speaker", "gender") for key in ("channels=2", "hidden=[6,6]")),
    "stages.pretraining.terms={speaker: {kind: conv_classification, column: speaker, channels: 2, hidden: [6, 6]}}",
)  # fmt: skip
PRIOR = ("terms.prior.channels=2", "terms.prior.hidden=[6,6]")


def other_people(corpus: Corpus, louder: float, name: str) -> Corpus:
    """The same recordings at another level, by people of other names."""
    for row in range(len(corpus)):
        sound, rate = soundfile.read(corpus.audio_path(row))
        soundfile.write(corpus.audio_path(row), louder * sound, rate)
    table = corpus.table.assign(speaker=[f"{name}{speaker}" for speaker in corpus.table["speaker"]])
    return Corpus.from_table(table, corpus.folder, name)


@pytest.fixture(scope="session")
def autoencoders(make_tiny_corpus: Callable[..., Corpus], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``ae``, and ``aae`` with two and with three auxiliary speakers, over two folds; to be read only."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("acted", "leak", "further", "features", "study")}
    recipes = [
        Recipe.load("ae", (*SMALL, "auxiliary.speakers=3")),
        *(Recipe.load("aae", (*SMALL, *PRIOR, f"name=aae-{count}", f"auxiliary.speakers={count}")) for count in (3, 2)),
    ]
    plan = Plan.make(
        make_tiny_corpus(folders["acted"], each=4, corpus="acted"),
        "leave-one-speaker-out",
        recipes,
        folds=[1, 2],
        leak_corpus=other_people(make_tiny_corpus(folders["leak"], 3, 3, "leak"), 0.5, "stranger"),
        auxiliary=other_people(make_tiny_corpus(folders["further"], 4, 2, "further"), 0.7, "reader"),
    )
    study, store = folders["study"], FeatureStore(folders["features"])
    plan.write(study)
    leak = Leak(0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 3, 9)
    with pytest.MonkeyPatch.context() as patch:  # the probes would take most of the time
        patch.setattr("unheard.studies.run.measure_leak", lambda *_: leak)
        for run in plan.runs():
            run_one(plan, run, run.folder(study), store, stages=study / "stages")
    write_results(plan, study)
    return study


@pytest.fixture
def study(tmp_path):
    return tmp_path / "study"
