"""Put a study's numbers into this folder: ``python results/collect.py STUDY NAME COMMAND`` writes NAME.md and NAME.csv.

STUDY is the folder of a study, COMMAND the command that made it, as it stands in the table's page.
"""

import math
import sys
from pathlib import Path

from unheard.metrics.predictions import class_recalls
from unheard.studies.report.attention import attentions
from unheard.studies.report.data import StudyData, read_study
from unheard.studies.report.deep import change_words, gender_distances, scatter_changes
from unheard.studies.report.leak import COLUMNS, SETS, mean_leak
from unheard.studies.report.scores import chance, compared, recipe_scores
from unheard.studies.report.tables import many, percent, points, probability, spread
from unheard.studies.report.verification import recipe_eer
from unheard.studies.report.write import remarks
from unheard.studies.run import machine_words

HERE = Path(__file__).parent


def page(data: StudyData, command: str) -> str:
    """The study as Markdown."""
    plan = data.plan
    lines = [
        f"# {plan.corpus.name}, `{plan.protocol.name}`",
        "",
        f"**{data.audit.verdict}**",
        "",
        *(f"{note}\n" for note in remarks(data)),
        f"- corpus: {plan.corpus.name}, {len(plan.corpus)} utterances, hash {plan.corpus.hash}",
        f"- command: `{command}`",
        *(f"- machine: {words}" for words in dict.fromkeys(map(machine_words, data.results["machine"]))),
        "",
        "UA and WA in per cent, pooled over folds, with 95 % intervals by bootstrap over speakers. A classical model "
        "learns from the dev speakers too (its settings are chosen by inner speaker folds), and so does a recipe with "
        "`dev: learn`, where the protocol's promise holds then; they have no dev score there.",
        "",
        *scores(data),
        "",
        *comparisons(data),
        "## The leak",
        "",
        *leaks(data),
        "",
        "## Recall of each class",
        "",
        *recalls(data),
        *inside(data),
        *codes(data),
        *voices(data),
    ]
    return "\n".join(lines) + "\n"


def scores(data: StudyData) -> list[str]:
    """A row per recipe."""
    rows = [["recipe", "done/planned", "UA [95 %]", "WA [95 %]", "UA over folds", "dev − test UA"]]
    for row in recipe_scores(data):
        done = f"{len(data.done[row.name])}/{data.planned}"
        ua, wa = (
            f"{percent(score.estimate)} [{percent(score.low)}, {percent(score.high)}]" for score in (row.ua, row.wa)
        )
        rows.append([f"`{row.name}`", done, ua, wa, spread(row.ua_folds), points(row.gap)])
    always = chance(data)
    rows.append(["one class always", "", percent(always.ua), percent(always.wa), "", ""])
    return markdown(rows)


def comparisons(data: StudyData) -> list[str]:
    """Every recipe against the baseline."""
    found = compared(data)
    if not found:
        return []
    rows = [["", "UA, points", "95 %", "p (Holm)", "errors removed", "in words"]]
    for one in found:
        result = one.result
        interval = f"{points(result.low)} to {points(result.high)}"
        removed = points(result.relative_error_reduction) + " %"
        rows.append([f"`{one.system}`", points(result.difference), interval, probability(one.p), removed, one.verdict])
    title = f"## Compared with `{data.baseline}`"
    how = (
        "Paired over the same utterances: bootstrap over speakers; p is the larger of two permutation tests, swapping "
        "whole speakers and whole runs."
    )
    return [title, "", how, "", *markdown(rows), ""]


def leaks(data: StudyData) -> list[str]:
    """The leak of the speaker and of the gender, on training speakers and on unheard ones."""
    rows = [["recipe", "told", "on", *COLUMNS.values()]]
    for what, suffix in (("speaker", ""), ("gender", "_gender")):
        for prefix, whose in SETS.items():
            for name in data.names:
                leak = mean_leak(data, name, prefix + suffix)
                if not math.isnan(leak.probe):
                    rows.append([f"`{name}`", what, whose, *map(percent, leak.accuracies)])
    how = (
        "How often a probe tells the speaker, or the gender of a speaker it was not fitted on, in per cent: a linear "
        "and a non-linear one on the embedding, both on the raw features, the linear one on the emotion label alone."
    )
    return [how, "", *markdown(rows)]


def recalls(data: StudyData) -> list[str]:
    """A row per class."""
    found = {name: class_recalls(data.of(name)).set_index("emotion") for name in data.names}
    rows = [["emotion", "utterances", *(f"`{name}`" for name in data.names)]]
    counts = data.plan.corpus.table["emotion"].value_counts()
    for emotion in data.classes:
        rows.append([emotion, str(counts[emotion]), *(percent(table["recall"][emotion]) for table in found.values())])
    return markdown(rows)


def inside(data: StudyData) -> list[str]:
    """Of networks with terms besides the emotion's: the deep feature, what they tell, and the attention."""
    told = [name for name in ("term_gender_ua", "term_gender_wa") if name in data.results]
    if not told:
        return []
    rows = [["recipe", "scatter", "against the baseline", "gender told, UA", "distance of the genders, in spreads"]]
    changes = scatter_changes(data)
    for name in data.names:
        found = data.results[data.results["recipe"] == name]
        scatter = f"{found['scatter'].mean():.2f}"
        change = change_words(changes[name]) if name in changes else ""
        apart = gender_distances(data, name).get("in spreads", {})
        distances = ", ".join(f"{emotion} {value:.1f}" for emotion, value in apart.items() if not math.isnan(value))
        rows.append([f"`{name}`", scatter, change, percent(found["term_gender_ua"].mean()), distances])
    how = (
        "Scatter is that within the classes over that between them, of the deep feature on test speakers, mean over "
        "runs; less is tighter. The gender of test speakers is told by the gender's term."
    )
    lines = ["", "## The deep feature", "", how, "", *markdown(rows)]
    for one in attentions(data):
        head = ["band", *one.genders, "deviation over utterances"]
        weights = [one.of(gender).mean(axis="columns") for gender in one.genders]
        deviations = [f"{value:.4f}" for value in one.deviations]
        body = [
            [band, *(f"{weight[row]:.3f}" for weight in weights), deviation]
            for band, row, deviation in zip(one.bands, one.deviations.index, deviations, strict=True)
        ]
        same = f"; the same for all utterances in {one.constant} of {one.runs} runs" if one.constant else ""
        lines += [
            "",
            f"Attention of `{one.recipe}`, mean over {many(one.runs, 'run')}{same}:",
            "",
            *markdown([head, *body]),
        ]
    return lines


def codes(data: StudyData) -> list[str]:
    """Of autoencoders: what they make of unheard speakers, and how far their code is from N(0, I)."""
    columns = [
        name for name in ("reconstruction", "latent_distance", "latent_mean", "latent_variance") if name in data.results
    ]
    means = data.results.groupby("recipe", sort=False)[columns].mean().dropna()
    if means.empty:
        return []
    rows = [["recipe", "reconstruction error", "distance", "mean of \\|mean\\|", "mean of \\|variance − 1\\|"]]
    rows += [[f"`{name}`", *(f"{value:.3f}" for value in row)] for name, row in means.iterrows()]
    how = (
        "On test speakers, mean over runs. The distance of the code from N(0, I) is that of two normal distributions, "
        "mean over the units; mean and variance are those of each unit over the pictures."
    )
    return ["", "## The code", "", how, "", *markdown(rows)]


def voices(data: StudyData) -> list[str]:
    """Of recipes that learn speakers: whether new voices are told apart, and how well the old ones are."""
    rows = [
        [
            "recipe",
            "EER, % [95 %]",
            "speakers verified",
            "auxiliary speakers",
            "told after pretraining, WA",
            "gender told, UA",
        ]
    ]
    for name in data.names:
        rate = recipe_eer(data, name)
        if rate is None:
            continue
        means = data.results_of(name).mean(numeric_only=True)
        told = [percent(means.get(column, math.nan)) for column in ("stage_pretraining_wa", "term_gender_ua")]
        eer = f"{percent(rate.estimate)} [{percent(rate.low)}, {percent(rate.high)}]"
        counts = [f"{means.get(column, math.nan):.0f}" for column in ("eer_speakers", "auxiliary_speakers")]
        rows.append([f"`{name}`", eer, *counts, *told])
    if len(rows) == 1:
        return []
    how = (
        "Speakers that nobody learned from: those tested and those of the leak corpus. Pretraining is judged by the "
        "speaker of the last picture of each auxiliary utterance, which is not learned from."
    )
    return ["", "## New voices verified", "", how, "", *markdown(rows)]


def markdown(rows: list[list[str]]) -> list[str]:
    """Rows as a Markdown table, numbers to the right."""
    head, *body = ["| " + " | ".join(row) + " |" for row in rows]
    return [head, "|---" + "|---:" * (len(rows[0]) - 1) + "|", *body]


def main() -> None:
    """Write both files."""
    study, name, command = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    data = read_study(study)
    (HERE / f"{name}.md").write_text(page(data, command), encoding="utf-8")
    data.results.drop(columns="machine").to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
