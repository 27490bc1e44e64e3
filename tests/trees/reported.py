"""Studies that were never run: what finished runs leave, made up, and the report that is made of it."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score

from unheard.corpora.corpus import Corpus
from unheard.evaluation.projection import keep_embeddings
from unheard.recipe import Recipe
from unheard.studies.plan import Plan

EMOTIONS = ("angry", "happy", "sad")
MACHINE = {"python": "3.11", "platform": "somewhere", "processor": "x", "threads": 1, "libraries": {"unheard": "0"}}


def make_corpus(folder, speakers, each=6, name="tiny"):
    count = len(speakers) * each
    table = pd.DataFrame(
        {
            "audio": [f"{row:04}.wav" for row in range(count)],
            "speaker": np.repeat(speakers, each),
            "gender": np.repeat([("female", "male")[index % 2] for index in range(len(speakers))], each),
            "emotion": [EMOTIONS[row % 3] for row in range(count)],
            "corpus": name,
            "digest": [f"{row:064}" for row in range(count)],
        }
    )
    return Corpus.from_table(table, folder)


def network(name, **values):
    return Recipe.load("tdnn", [f"name={name}", "training.epochs=4"]).model_copy(update=values)


def predict(reference, run, skill):
    """A share ``skill`` of the utterances right, the others taken for the next emotion."""
    random = np.random.default_rng([run.fold, run.seed, len(run.recipe.name)])
    right = random.random(len(reference)) < skill
    return [one if ok else EMOTIONS[(EMOTIONS.index(one) + 1) % 3] for one, ok in zip(reference, right, strict=True)]


def finish(plan, study, run, skill=0.7, leak=0.5, folds=None):
    """What a finished run leaves, without training."""
    folder = run.folder(study)
    folder.mkdir(parents=True)
    test = plan.corpus.table.iloc[(folds or plan.cut())[run.fold - 1].test]
    table = test[["id", "speaker"]].assign(fold=run.fold, seed=run.seed, emotion=test["emotion"])
    table["predicted"] = predict(table["emotion"], run, skill)
    table.to_csv(folder / "predictions.csv", index=False)
    result = {
        "recipe": run.recipe.name, "protocol": plan.protocol.name, "fold": run.fold, "seed": run.seed, "n": len(table),
        "wa": float((table["emotion"] == table["predicted"]).mean()),
        "ua": balanced_accuracy_score(table["emotion"], table["predicted"]),
        "dev_wa": 0.75, "dev_ua": 0.75,
        "leak": leak, "leak_nonlinear": leak + 0.1, "leak_raw": 0.9, "leak_raw_nonlinear": 0.95, "leak_emotion": 0.3,
        "leak_chance": 0.25, "leak_speakers": 4, "leak_gender": None, "leak_unheard": None,
        "seconds": 3.0, "corpus": plan.corpus.name, "corpus_hash": plan.corpus.hash, "machine": MACHINE,
    }  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result))
    if run.recipe.network is not None:
        history = [
            {"epoch": epoch, "loss.emotion": 2 / (1 + epoch), "dev_wa": 0.5, "dev_ua": 0.1 * epoch, "seconds": 1.0}
            for epoch in range(4)
        ]
        (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in history))
    return table


def make_study(
    study, recipes, speakers=tuple("abcdefgh"), skills=None, name="tiny", protocol="speaker-folds:4", **plan
):
    plan = Plan.make(make_corpus(study / "audio", speakers, name=name), protocol, recipes, **plan)
    plan.write(study)
    skills = skills or {}
    tables = [
        finish(plan, study, run, skills.get(run.recipe.name, 0.7)).assign(recipe=run.recipe.name)
        for run in plan.runs()
        if skills.get(run.recipe.name, 0.7) is not None
    ]
    return plan, pd.concat(tables)


def page(study):
    return (study / "report.html").read_text(encoding="utf-8")


class Reader(HTMLParser):
    """The text of the tables, and whatever a browser would load."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.links, self.ids, self.tags, self.cell = [], [], [], set(), None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.links += [value for name, value in attributes if name in ("src", "href", "xlink:href", "action", "data")]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.cell = []

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append(" ".join("".join(self.cell).split()))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)

    def row(self, start):
        return next(row for row in self.rows if row and row[0].startswith(start))


def add_to_results(study, run, **columns):
    path = run.folder(study) / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | columns))


def cells(reader, start):
    """The rows that begin so, their numbers as numbers."""
    return [[float(cell) for cell in row[1:]] for row in reader.rows if row and row[0] == start]


def keep_some_embeddings(plan, study, by="emotion", runs=None, part="dev"):
    """Embeddings of the utterances of a part that lie by emotion, or by speaker."""
    for run in runs or plan.runs():
        rows = plan.corpus.table.iloc[getattr(plan.cut()[run.fold - 1], part)]
        codes = 20.0 * pd.get_dummies(rows[by]).to_numpy(dtype=float)
        noise = np.random.default_rng(run.fold).standard_normal((len(rows), 6))
        keep_embeddings(run.folder(study), part, np.hstack([codes, noise]).astype(np.float32))
