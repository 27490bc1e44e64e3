"""Parts of a report: how training went, what the recipes are, and how to do it all again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

import pandas as pd
from markupsafe import Markup

from unheard.corpora import Corpus
from unheard.recipe import Recipe, recipe_names
from unheard.studies.plan import Run
from unheard.studies.report.data import StudyData, ranges
from unheard.studies.report.plots import curves
from unheard.studies.report.tables import Section, facts, grid, many, paragraph
from unheard.studies.run import machine_words


def curve_part(data: StudyData) -> Section | None:
    """Dev UA and training losses by epoch; recipes that have no epochs are named."""
    plots, without = [], []
    for index, recipe in enumerate(data.plan.recipes):
        if recipe.name not in data.names:
            continue
        histories = {
            f"{run.fold}-{run.seed}": history
            for run in data.runs(recipe.name)
            if (history := _history(data, run)) is not None
        }
        if not histories:
            without.append(recipe.name)
            continue
        dev, losses = _by_epoch(histories, "dev_ua"), _losses(histories)
        if not dev.empty:
            kept = _kept(_by_epoch(histories, f"dev_{recipe.training.select}"), dev)
            plots.append(curves(f"{recipe.name}: dev UA", {"mean": 100 * dev}, f"dev{index}", "%", kept))
        if losses:
            plots.append(curves(f"{recipe.name}: losses", losses, f"loss{index}", "loss"))
    if not plots:
        return None
    note = "A thin line for each run, a thick one for their mean. Losses are those on the training part."
    if without:
        note += f" {', '.join(without)}: fitted in one go, no epochs."
    return Section("curves", "Learning curves", grid(plots) + paragraph(note, "note"))


def _history(data: StudyData, run: Run) -> pd.DataFrame | None:
    path = run.folder(data.study) / "metrics.jsonl"
    if not path.is_file():
        return None
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return pd.DataFrame(rows).set_index("epoch") if rows else None


def _by_epoch(histories: Mapping[str, pd.DataFrame], column: str) -> pd.DataFrame:
    """One column of all histories that have it, [epochs, runs]."""
    return pd.DataFrame(
        {run: history[column] for run, history in histories.items() if column in history}, dtype="float64"
    )


def _losses(histories: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Each loss by the name of its term, [epochs, runs]."""
    columns = dict.fromkeys(str(column) for history in histories.values() for column in history)
    return {
        column.removeprefix("loss."): _by_epoch(histories, column) for column in columns if column.startswith("loss.")
    }


def _kept(selected: pd.DataFrame, dev: pd.DataFrame) -> pd.Series:
    """The epoch of each run whose weights were kept: the first with the highest dev score, or else the last."""
    if selected.empty:
        return dev.apply(pd.Series.last_valid_index)
    return pd.Series({run: selected[run].idxmax() for run in selected})


def recipe_part(data: StudyData) -> Section:
    """Every recipe with all its settings."""
    blocks = [
        Markup("<details><summary><strong>{}</strong> {}</summary><pre>{}</pre></details>\n").format(
            recipe.name, recipe.about, recipe.to_yaml()
        )
        for recipe in data.plan.recipes
    ]
    return Section("recipes", "Recipes", Markup("").join(blocks))


def fact_part(data: StudyData) -> Section:
    """What the numbers stand on, and the command that makes them again."""
    plan = data.plan
    rows: dict[str, str | Markup] = {
        "corpus": f"{plan.corpus.name}, {many(len(plan.corpus), 'utterance')}, hash {plan.corpus.hash}",
        "labels": f"{plan.labels.name}: {plan.labels.about}" if plan.labels else "as they are in the manifest",
        **({"leak corpus": _speakers(plan.leak_corpus)} if plan.leak_corpus else {}),
        **({"auxiliary": _speakers(plan.auxiliary)} if plan.auxiliary else {}),
        "protocol": f"{plan.protocol.name}, seed {plan.protocol_seed}: {plan.protocol.description}",
        "folds": f"{ranges(plan.folds)} of {plan.fold_count}",
        "seeds": ranges(plan.seeds),
    }
    machines = _machines(data)
    for index, machine in enumerate(machines):
        rows["machine" if len(machines) == 1 else f"machine {index + 1}"] = machine
    seconds = data.results.groupby("recipe", sort=False)["seconds"].mean()
    rows["time a run"] = ", ".join(f"{name} {value:,.0f} s" for name, value in seconds.items())
    holds = f"the folder that holds {data.study.resolve().name}"
    where = f"To do it again, in {holds}; the corpora are named by their folders:"
    again = Markup("<p>{}</p>\n<pre>{}</pre>\n").format(where, _command(data))
    return Section("facts", "Facts", facts(rows) + again)


def learned_from(data: StudyData) -> list[str]:
    """What recipes did not learn from, though they might have: terms and auxiliary data that were not there."""
    said = []
    columns = ["dropped", "auxiliary_utterances", "auxiliary_left_out"]
    for recipe in data.plan.recipes:
        results = data.results_of(recipe.name).reindex(columns=columns)
        for names, rows in results.groupby("dropped"):
            said.append(f"DROPPED: {recipe.name} has no labels for {names} in {many(len(rows), 'run')}")
        if alone := int((results["auxiliary_utterances"] == 0).sum()):
            said.append(
                f"NO AUXILIARY DATA: {recipe.name} takes it, and learned from {data.plan.corpus.name} alone in "
                f"{many(alone, 'run')}"
            )
        if (left_out := results["auxiliary_left_out"].max()) > 0:
            said.append(
                f"LEFT OUT: of the auxiliary data up to {many(int(left_out), 'utterance')} in a run of {recipe.name}, "
                "whose speaker or recording its fold selects or tests by"
            )
    return said


def _speakers(corpus: Corpus) -> str:
    speakers = many(corpus.table["speaker"].nunique(), "speaker")
    return f"{corpus.name}, {speakers} with {many(len(corpus), 'utterance')}, hash {corpus.hash}"


def _machines(data: StudyData) -> list[str]:
    """Every kind of machine that made a run shown, in words."""
    return list(dict.fromkeys(machine_words(machine) for machine in data.results["machine"]))


def _command(data: StudyData) -> str:
    plan = data.plan
    words = ["unheard", "study", *(_written(data, recipe) for recipe in plan.recipes)]
    words += ["--corpus", *_named(plan.given)]
    words += ["--leak-corpus", *_named(plan.leak_corpus)] if plan.leak_corpus else []
    words += ["--enrol", str(plan.enrol)] if plan.enrol else []
    words += ["--auxiliary", *_named(plan.auxiliary)] if plan.auxiliary else []
    words += ["--labels", plan.labels.name] if plan.labels else []
    words += ["--protocol", plan.protocol.name]
    if len(plan.folds) < plan.fold_count:
        words += ["--folds", ",".join(map(str, plan.folds))]
    words += ["--seeds", str(max(plan.seeds) + 1), "--baseline", data.baseline, "--out", data.study.name]
    return shlex.join(words)


def _named(corpus: Corpus) -> list[str]:
    """The corpora that were joined, or the folder of the one."""
    joined = sorted(corpus.table["corpus"].dropna().unique()) if "corpus" in corpus.table else []
    return joined if len(joined) > 1 else [corpus.folder.name]


def _written(data: StudyData, recipe: Recipe) -> str:
    """The name of a built-in recipe that is used as it is, or else where a run keeps the recipe."""
    if recipe.name in recipe_names() and Recipe.load(recipe.name).to_dict() == recipe.to_dict():
        return recipe.name
    run = next(run for run in data.plan.runs() if run.recipe.name == recipe.name)
    return (run.folder(data.study.resolve()) / "recipe.yaml").relative_to(data.study.resolve().parent).as_posix()
