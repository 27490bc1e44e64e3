"""The recognizer that comes with the package: ``python results/recognizer.py FOLDER CORPORA [WORKERS]``.

CORPORA is the folder in which ``emodb``, ``ravdess`` and ``urdu`` are prepared. Studies lie in FOLDER; one that is
there already with the same plan is not run again, and interrupted, the same command goes on where it was.

Plan:

- Recipes: ``filterbank-tdnn-robust``, whose page (docs/papers/tu2019.md) says how it was chosen: not on URDU, and after
  ``filterbank-tdnn`` had been seen to fail on unheard corpora. Beside it that one, and ``compare-svm``. Labels:
  ``four``. One seed. Nothing is tuned here, and the networks keep their last epoch.
- Unheard speakers (``speaker-folds``): EmoDB and RAVDESS together, speaker-folds:5.
- Unheard corpora (``emodb-to-ravdess``, ``ravdess-to-emodb``, ``to-urdu``): cross-corpus-disjoint, tested on about 70 %
  of the target's speakers. The others are dev there, and nobody learns from them.
- Temperature: fitted on the dev predictions of the network in the five speaker folds. What it does is measured on their
  test predictions, with the temperature that the dev predictions of the speakers outside of that test part give.
- Threshold: 0.5, so that an emotion is named only where it is more likely than all others together.
- The recognizer: ``filterbank-tdnn-robust`` trained with the same settings on all speakers of EmoDB and RAVDESS; nobody
  is left to test it on, so that what is said about it was measured on the folds. URDU is tested on alone: its terms
  allow research only.

Leaves the recognizer with its card in ``src/unheard/shipped``; ``recognizer.md``, ``.csv`` and ``.svg`` beside this
file; and in FOLDER ``compare-svm``, trained on the same speakers.
"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
import torch
from collect import markdown
from matplotlib.figure import Figure

import unheard
from unheard.corpora import Corpus
from unheard.corpora.joined import join
from unheard.corpora.mapping import LabelMapping
from unheard.errors import InputError
from unheard.frontends.store import FeatureStore
from unheard.metrics.calibration import Floats, Reliability, fit_temperature, reliability, tempered
from unheard.metrics.counts import accuracy
from unheard.metrics.intervals import Interval, speaker_interval
from unheard.metrics.predictions import class_recalls
from unheard.recipe import Recipe
from unheard.recognizer import SHIPPED
from unheard.studies.plan import Plan
from unheard.studies.report.data import StudyData, read_study
from unheard.studies.report.plots import BLUE, GREY, SETTINGS, SOFT
from unheard.studies.report.tables import percent
from unheard.studies.run import machine, machine_words
from unheard.studies.study import feature_store, read_predictions, run_study
from unheard.training.calibration import Calibration
from unheard.training.fit import fit
from unheard.training.fitted import Fitted
from unheard.training.split import Split

PAGE = Path(__file__).with_suffix(".md")
COMMAND = "python results/recognizer.py FOLDER CORPORA"

NETWORK, BEFORE, SVM = "filterbank-tdnn-robust", "filterbank-tdnn", "compare-svm"
LABELS, SEED, THRESHOLD = "four", 0, 0.5
#: The corpora of each study, and its protocol.
FOLDS = "speaker-folds"
STUDIES = {
    FOLDS: (("emodb", "ravdess"), "speaker-folds:5"),
    "emodb-to-ravdess": (("emodb", "ravdess"), "cross-corpus-disjoint:ravdess"),
    "ravdess-to-emodb": (("emodb", "ravdess"), "cross-corpus-disjoint:emodb"),
    "to-urdu": (("emodb", "ravdess", "urdu"), "cross-corpus-disjoint:urdu"),
}
TITLES = {"emodb": "EmoDB", "ravdess": "RAVDESS", "urdu": "URDU"}
#: Bytes of the weights.
LARGEST = 5_000_000
PICTURE = "calibration.svg"


class Row(NamedTuple):
    """A recipe on some utterances of unheard speakers; shares.

    ``calibration_error`` is that of the network with its temperature; ``answered`` is the share of utterances of which
    it is sure enough, ``right`` how many of these it gets right.
    """

    trained: str
    tested: str
    group: str
    recipe: str
    utterances: int
    speakers: int
    ua: float
    ua_low: float
    ua_high: float
    wa: float
    calibration_error: float = np.nan
    answered: float = np.nan
    right: float = np.nan
    right_low: float = np.nan
    right_high: float = np.nan


class Calibrated(NamedTuple):
    """The temperature, and the test predictions of the folds before and after one that their speakers did not fit."""

    temperature: float
    before: pd.DataFrame
    after: pd.DataFrame


def planned(corpora: Path, study: str, recipes: Sequence[Recipe]) -> Plan:
    """The plan of a study."""
    names, protocol = STUDIES[study]
    corpus = join([Corpus.read(corpora / name) for name in names])
    return Plan.make(corpus, protocol, recipes, seeds=(SEED,), labels=LabelMapping.load(LABELS))


def run(folder: Path, corpora: Path, recipes: Sequence[Recipe], store: FeatureStore, workers: int | None) -> None:
    """Every study, where it is missing or not finished."""
    for study in STUDIES:
        plan = planned(corpora, study, recipes).continuing(folder / study)
        run_study(plan, folder / study, store, workers=workers)


def everyone(plan: Plan) -> list[int]:
    """The rows of all parts of a fold."""
    fold = plan.cut()[0]
    return sorted({*fold.train, *fold.dev, *fold.test})


def trained(plan: Plan, recipe: Recipe, rows: Sequence[int], folder: Path, store: FeatureStore) -> Fitted:
    """A recipe that has learned from these rows, with nobody for dev."""
    features = store.features(recipe.front_end.name, recipe.front_end.settings, plan.corpus)
    heard = Split.of(plan.corpus, features, rows)
    return fit(recipe, heard, Split(heard.table.iloc[:0], []), SEED, folder, "cpu")


def columns_of(table: pd.DataFrame) -> list[str]:
    """The columns with the posterior of an emotion."""
    return [str(column) for column in table if str(column).startswith("p_")]


def posteriors(table: pd.DataFrame) -> tuple[Floats, np.ndarray]:
    """Posteriors [utterances, emotions] and the numbers of the emotions."""
    columns = columns_of(table)
    emotions = [column.removeprefix("p_") for column in columns]
    return table[columns].to_numpy(dtype=np.float64), table["emotion"].map(emotions.index).to_numpy()


def at(table: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Predictions at a temperature."""
    changed = table.copy()
    changed[columns_of(table)] = tempered(posteriors(table)[0], temperature)
    return changed


def calibrated(data: StudyData) -> Calibrated:
    """The temperature of the dev speakers, and what the test speakers of each fold say of it."""
    dev = read_predictions(data.plan, data.study, "dev_predictions.csv")
    dev, test = dev[dev["recipe"] == NETWORK], data.of(NETWORK)
    after = [
        at(rows, fit_temperature(*posteriors(dev[~dev["speaker"].isin(rows["speaker"])])))
        for _, rows in test.groupby("fold")
    ]
    return Calibrated(fit_temperature(*posteriors(dev)), test, pd.concat(after))


def sure(table: pd.DataFrame) -> pd.DataFrame:
    """The predictions of which the recognizer is sure enough."""
    answered: pd.DataFrame = table[posteriors(table)[0].max(axis=1) >= THRESHOLD]
    return answered


def measured(trained_on: str, tested_on: str, group: str, recipe: str, table: pd.DataFrame) -> Row:
    """Scores of some predictions; of the network they are calibrated ones."""
    ua, wa = speaker_interval(table), speaker_interval(table, accuracy)
    row = Row(
        trained_on, tested_on, group, recipe, len(table), table["speaker"].nunique(),
        ua.estimate, ua.low, ua.high, wa.estimate,
    )  # fmt: skip
    if recipe != NETWORK:
        return row
    answers = sure(table)
    right = speaker_interval(answers, accuracy) if len(answers) else Interval(np.nan, np.nan, np.nan)
    return row._replace(
        calibration_error=reliability(*posteriors(table)).error, answered=len(answers) / len(table),
        right=right.estimate, right_low=right.low, right_high=right.high,
    )  # fmt: skip


def rows_of_folds(data: StudyData, found: Calibrated) -> list[Row]:
    """Both recipes on unheard speakers: all, of each corpus, of each gender."""
    rows = []
    names, _ = STUDIES[FOLDS]
    for recipe, table in ((NETWORK, found.after), (SVM, data.of(SVM))):
        groups = {"all": table}
        groups |= {TITLES[name]: table[table["corpus"] == name] for name in names}
        groups |= {gender: table[table["gender"] == gender] for gender in ("female", "male")}
        both = " + ".join(TITLES[name] for name in names)
        rows += [measured(both, both, group, recipe, some) for group, some in groups.items()]
    return rows


def rows_across(found: Mapping[str, StudyData], temperature: float) -> list[Row]:
    """All recipes on unheard corpora."""
    rows = []
    for study, data in found.items():
        names, protocol = STUDIES[study]
        target = protocol.split(":")[1]
        heard = " + ".join(TITLES[name] for name in names if name != target)
        told = {NETWORK: at(data.of(NETWORK), temperature), BEFORE: data.of(BEFORE), SVM: data.of(SVM)}
        rows += [measured(heard, TITLES[target], "all", recipe, table) for recipe, table in told.items()]
    return rows


def drawn(found: Calibrated, file: Path) -> None:
    """Reliability diagrams of the test speakers, before and after."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(7.2, 3.6), layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, table, title in zip(panels, found[1:], ("as trained", "calibrated"), strict=True):
            one = reliability(*posteriors(table))
            axes.bar(one.edges[:-1], one.accuracy, width=0.1, align="edge", color=BLUE, edgecolor="white")
            axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=(0, (3, 2)))
            for left, share, count in zip(one.edges, one.accuracy, one.count, strict=False):
                if count:
                    axes.text(left + 0.05, share + 0.015, str(count), ha="center", fontsize=7.5, color=SOFT)
            axes.set_title(f"{title}: error {percent(one.error)} %", loc="left", fontsize=10.5)
            axes.set_xlabel("how sure: the highest probability")
            axes.set_xlim(0, 1)
            axes.set_ylim(0, 1.08)
        panels[0].set_ylabel("how often right")
        figure.savefig(file, metadata={"Date": None})


def ranged(estimate: float, low: float, high: float) -> str:
    """An estimate and its interval, in per cent."""
    return f"{percent(estimate)} [{percent(low)}, {percent(high)}]"


def accuracy_table(rows: Sequence[Row]) -> list[str]:
    """UA of both recipes by group."""
    lines = [["", "utterances", "speakers", "UA [95 %]", f"UA of `{SVM}`"]]
    svm = {row.group: row for row in rows if row.recipe == SVM}
    for row in rows:
        if row.recipe == NETWORK:
            uas = [ranged(one.ua, one.ua_low, one.ua_high) for one in (row, svm[row.group])]
            lines.append([row.group, str(row.utterances), str(row.speakers), *uas])
    return markdown(lines)


def recall_table(data: StudyData) -> list[str]:
    """Recall of each emotion, both recipes."""
    tables = [class_recalls(data.of(name)).set_index("emotion") for name in (NETWORK, SVM)]
    lines = [["emotion", "utterances", "recall", f"recall of `{SVM}`"]]
    for emotion in data.classes:
        found = (percent(table["recall"][emotion]) for table in tables)
        lines.append([emotion, str(tables[0]["n"][emotion]), *found])
    return markdown(lines)


def cross_table(rows: Sequence[Row]) -> list[str]:
    """All recipes on unheard corpora, and how sure the network is there."""
    rivals = [f"UA of `{name}`" for name in (BEFORE, SVM)]
    lines = [["trained on", "tested on", "UA [95 %]", *rivals, "calibration error", "names one", "then right"]]
    for row, before, svm in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        uas = [ranged(one.ua, one.ua_low, one.ua_high) for one in (row, before, svm)]
        tested = f"{row.tested} ({row.utterances} utterances, {row.speakers} speakers)"
        lines.append([row.trained, tested, *uas, *map(percent, (row.calibration_error, row.answered, row.right))])
    return markdown(lines)


def reliability_table(found: Calibrated) -> list[str]:
    """The bins of the diagram."""
    before, after = (reliability(*posteriors(table)) for table in found[1:])
    lines = [["how sure", "as trained: utterances", "right", "calibrated: utterances", "right"]]
    for number, (low, high) in enumerate(zip(after.edges, after.edges[1:], strict=False)):
        if before.count[number] or after.count[number]:
            lines.append([f"{low:.0%} to {high:.0%}", *_bin(before, number), *_bin(after, number)])
    return markdown(lines)


def _bin(one: Reliability, number: int) -> tuple[str, str]:
    return str(one.count[number]), percent(one.accuracy[number])


def unsure_table(rows: Sequence[Row]) -> list[str]:
    """How often the network names an emotion, and is right then."""
    lines = [["", "names an emotion", "is then right [95 %]", "would be right if it always named one"]]
    for row in rows:
        if row.recipe == NETWORK:
            right = ranged(row.right, row.right_low, row.right_high)
            lines.append([row.group, percent(row.answered), right, percent(row.wa)])
    return markdown(lines)


def sections(
    data: StudyData, found: Calibrated, folds: Sequence[Row], across: Sequence[Row], picture: str
) -> list[str]:
    """What was measured, for the card and for the page of results."""
    errors = [percent(reliability(*posteriors(table)).error) for table in found[1:]]
    return [
        "## Accuracy on unheard speakers",
        "",
        f"{data.audit.verdict}. In per cent; UA is the mean recall of the emotions, chance is 25; intervals are by "
        "bootstrap over speakers. Each speaker was tested once, by a network that had heard the speakers of the other "
        "folds only; the recognizer itself has heard all of them.",
        "",
        *accuracy_table(folds),
        "",
        *recall_table(data),
        "",
        "## Accuracy on unheard corpora",
        "",
        "Trained without a single speaker of the corpus that is tested. This is nearer to what to expect on recordings "
        "of another kind, another language or another room.",
        "",
        *cross_table(across),
        "",
        "## Calibration",
        "",
        f"Posteriors become softmax(log p / {found.temperature:.3f}), a temperature fitted on dev speakers. Measured "
        "on test speakers, with a temperature that they had no part in: the expected calibration error, by which a "
        "probability and the share of right answers differ in the mean, is "
        f"{errors[0]} points before and {errors[1]} after. What it is on unheard corpora stands in the table above.",
        "",
        f"![How often it is right by how sure it is, before and after calibration]({picture})",
        "",
        *reliability_table(found),
        "",
        "## Not sure, and no speech",
        "",
        f"An emotion is named only where its probability is at least {THRESHOLD:g}; otherwise the answer is "
        '"not sure", with the probabilities beside it. Where no part of a recording rises and falls in loudness as '
        'speech does, the answer is "no speech"; music and other changing sounds pass for speech.',
        "",
        *unsure_table(folds),
    ]


def card(facts: Mapping[str, Any], size: int, body: Sequence[str]) -> str:
    """The model card."""
    lines = [
        f"# The recognizer that comes with unheard {unheard.__version__}",
        "",
        "It tells angry, happy, neutral and sad speech apart, by a small network (TDNN and LSTM over log-mel bands, "
        f"{size / 1e6:.1f} MB) that was trained on acted German and English sentences. It is there to try things out "
        "right after the installation and to compare with; for anything else train one on speech of your own kind.",
        "",
        "- `unheard predict my.m4a`",
        "- `unheard serve`",
        '- `unheard.Recognizer.load().predict("my.m4a")`',
        "",
        "## What it must not be used for",
        "",
        "- **No decisions about people**: not hiring, policing, border control, insurance, health, credit, grading.",
        "- **Not at work and not in education**: there the EU's AI Act, Article 5(1)(f), prohibits inferring emotions, "
        "with exceptions for medical and safety reasons only. Elsewhere it counts as high-risk (Annex III), and the "
        "people concerned must be told (Article 50).",
        "- **Not for money**: the licence of the weights is non-commercial.",
        "",
        "## What it hears",
        "",
        "Acted expression, as actors and listeners agreed on it; not what a person feels. Two languages, few speakers, "
        "studio recordings of single sentences by adults. It was not tested on children, on the old, on pathological "
        "speech, or over telephones. A voice, a dialect or a culture that is not among its speakers may be taken for "
        "an emotion.",
        "",
        "## Data and licences",
        "",
        *(f"- {line}" for line in facts["data"]),
        "- The weights: CC BY-NC-SA 4.0, as RAVDESS, see the file LICENSE beside this card. The code: Apache-2.0.",
        "",
        *body,
        "",
        "## How it was made",
        "",
        f"- `{COMMAND}`, in the repository; the plan stands in that script",
        f"- recipe `{NETWORK}`, labels `{LABELS}`, seed {SEED}, all {facts['utterances']} utterances of "
        f"{facts['speakers']} speakers; corpus hash {facts['corpus_hash']}",
        f"- {machine_words(facts['machine'])}",
    ]
    return "\n".join(lines) + "\n"


def facts_of(plan: Plan, rows: Sequence[int], folds: Sequence[Row]) -> dict[str, Any]:
    """What ``config.json`` says of the training."""
    heard = plan.corpus.take(rows).table
    groups = heard.groupby("corpus")
    counts = {name: (len(table), table["speaker"].nunique()) for name, table in groups}
    about = {
        "emodb": "EmoDB, German (Burkhardt, Paeschke, Rolfes, Sendlmeier, Weiss 2005), http://emodb.bilderbar.info, "
        "offered freely for research",
        "ravdess": "RAVDESS, audio-only speech, North American English (Livingstone and Russo 2018), "
        "https://doi.org/10.5281/zenodo.1188976, CC BY-NC-SA 4.0",
    }
    return {
        "corpus": plan.corpus.name,
        "corpus_hash": plan.corpus.hash,
        "synthetic": plan.corpus.synthetic,
        "data": [
            f"{about[str(name)]}: {count} utterances of {speakers} actors" for name, (count, speakers) in counts.items()
        ],
        "labels": LABELS,
        "utterances": len(heard),
        "speakers": heard["speaker"].nunique(),
        "seed": SEED,
        "licence": "CC-BY-NC-SA-4.0",
        "unheard_speakers": {"protocol": plan.protocol.name, "ua": folds[0].ua, "wa": folds[0].wa},
        "machine": machine(),
    }


def page(studies: Mapping[str, StudyData], body: Sequence[str]) -> str:
    """What was measured, as Markdown."""
    machines = dict.fromkeys(
        words for data in studies.values() for words in map(machine_words, data.results["machine"])
    )
    lines = [
        "# The recognizer that comes with the package",
        "",
        f"`{COMMAND}`; the plan stands in the script.",
        "",
        *(
            f"- {name}: {data.audit.verdict}; corpus hash {data.plan.corpus.hash}; {sum(map(len, data.done.values()))} "
            f"of {len(data.plan.runs())} runs done"
            for name, data in studies.items()
        ),
        *(f"- machine: {words}" for words in machines),
        "",
        *body,
    ]
    return "\n".join(lines) + "\n"


def make(
    folder: Path, corpora: Path, recipes: Sequence[Recipe], store: FeatureStore, workers: int | None, shipped: Path,
    out: Path,
) -> None:  # fmt: skip
    """Everything: the studies, both recognizers, the card, and what stands in ``out``, a page with its neighbours."""
    run(folder, corpora, recipes, store, workers)
    studies = {study: read_study(folder / study) for study in STUDIES}
    data = studies[FOLDS]
    found = calibrated(data)
    folds = rows_of_folds(data, found)
    across = rows_across({name: one for name, one in studies.items() if name != FOLDS}, found.temperature)
    pd.DataFrame([*folds, *across]).to_csv(
        out.with_suffix(".csv"), index=False, lineterminator="\n", float_format="%.6g"
    )
    drawn(found, out.with_suffix(".svg"))
    out.write_text(page(studies, sections(data, found, folds, across, f"{out.stem}.svg")), encoding="utf-8")

    rows = everyone(data.plan)
    facts = facts_of(data.plan, rows, folds)
    for recipe in recipes:
        if recipe.name == BEFORE:
            continue
        fitted = trained(data.plan, recipe, rows, folder / "training" / recipe.name, store)
        if recipe.name != NETWORK:
            fitted.save(
                folder / recipe.name, facts, f"# {recipe.name}\n\nFor comparison with the shipped recognizer.\n"
            )
            continue
        fitted.calibration = Calibration(round(found.temperature, 4), THRESHOLD)
        fitted.save(shipped, facts, "")
        weights = shipped / "model.safetensors"
        weights.chmod(0o644)  # safetensors keeps it for its owner, and packages keep that
        size = weights.stat().st_size
        if size > LARGEST:
            raise InputError(f"{shipped}: the weights have {size:,} bytes, and {LARGEST:,} are the most")
        shutil.copy(out.with_suffix(".svg"), shipped / PICTURE)
        text = card(facts, size, sections(data, found, folds, across, PICTURE))
        (shipped / "README.md").write_text(text, encoding="utf-8")


def main() -> None:
    """Run what is missing, train, and write."""
    folder, corpora = map(Path, sys.argv[1:3])
    workers = int(sys.argv[3]) if len(sys.argv) > 3 else None
    store = feature_store(folder / "features")
    torch.set_num_threads(1)  # as the studies' workers
    make(folder, corpora, [Recipe.load(name) for name in (BEFORE, SVM, NETWORK)], store, workers, SHIPPED, PAGE)


if __name__ == "__main__":
    main()
