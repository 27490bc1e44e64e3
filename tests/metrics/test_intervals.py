import numpy as np
import pandas as pd
import pytest

from unheard.errors import InputError
from unheard.metrics.counts import accuracy, mean_recall, recalls
from unheard.metrics.intervals import bootstrap_interval, speaker_counts, speaker_interval

CLASSES = ["angry", "happy", "sad"]


def simulate(speakers, per_speaker=30, seeds=1, spread=0.15, seed=0):
    """Predictions whose accuracy differs between speakers, around 0.6."""
    random = np.random.default_rng(seed)
    rows = []
    for speaker in range(speakers):
        skill = np.clip(random.normal(0.6, spread), 0, 1)
        emotions = random.choice(CLASSES, per_speaker)
        for run in range(seeds):
            right = random.random(per_speaker) < skill
            wrong = [CLASSES[(CLASSES.index(emotion) + 1) % 3] for emotion in emotions]
            predicted = np.where(right, emotions, wrong)
            rows.append(
                pd.DataFrame({"speaker": f"s{speaker}", "seed": run, "emotion": emotions, "predicted": predicted})
            )
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize("statistic", [accuracy, mean_recall])
@pytest.mark.parametrize("seeds", [1, 3])
def test_the_interval_holds_the_estimate_and_the_estimate_is_the_mean_over_seeds(statistic, seeds):
    table = simulate(12, seeds=seeds)
    found = speaker_interval(table, statistic)
    each = [
        (part["emotion"] == part["predicted"]).mean()
        if statistic is accuracy
        else part.assign(right=part["emotion"] == part["predicted"]).groupby("emotion")["right"].mean().mean()
        for _, part in table.groupby("seed")
    ]
    assert found.estimate == pytest.approx(np.mean(each))
    assert found.low < found.estimate < found.high
    assert found == speaker_interval(table, statistic)
    assert found != speaker_interval(table, statistic, seed=1)


def test_resampling_whole_speakers_by_hand_gives_the_same_distribution():
    table = simulate(5, per_speaker=8)
    parts = [part for _, part in table.groupby("speaker")]
    random = np.random.default_rng(0)
    values = []
    for _ in range(800):
        drawn = pd.concat([parts[chosen] for chosen in random.integers(0, 5, 5)])
        values.append((drawn["emotion"] == drawn["predicted"]).mean())
    found = speaker_interval(table, accuracy, resamples=4000)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=0.04)


def test_speakers_are_the_unit_not_utterances():
    """Ten times the utterances of the same speakers is hardly more evidence; more speakers are."""
    width = {}
    for name, table in (
        ("few", simulate(8)),
        ("longer", pd.concat([simulate(8)] * 10)),
        ("more", simulate(80)),
    ):
        found = speaker_interval(table, accuracy)
        width[name] = found.high - found.low
    assert width["longer"] == pytest.approx(width["few"])
    assert width["more"] < width["few"] / 2


def test_coverage():
    """Of intervals for ten speakers some nine in ten hold the truth, as the documentation says."""
    random = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        right = random.binomial(30, np.clip(random.normal(0.6, 0.1, 10), 0, 1))
        counts = np.zeros((10, 1, 2, 2), dtype=np.int64)
        counts[:, 0, 0, 0], counts[:, 0, 0, 1] = right, 30 - right
        low, high = bootstrap_interval(accuracy, counts, resamples=500, seed=trial)
        hits += low <= 0.6 <= high
    assert 0.83 <= hits / 200 <= 0.97


def test_one_speaker_has_no_interval():
    found = speaker_interval(simulate(1))
    assert 0 < found.estimate < 1
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_speakers_of_one_mind_have_an_interval_of_no_width():
    table = pd.concat([simulate(1).assign(speaker=name) for name in "abc"])
    found = speaker_interval(table)
    assert found.low == pytest.approx(found.estimate) == pytest.approx(found.high)


def test_a_narrower_confidence_lies_inside():
    wide, narrow = (speaker_interval(simulate(12), confidence=confidence) for confidence in (0.95, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_counts_of_speakers_and_seeds():
    table = simulate(4, seeds=2)
    counts = speaker_counts(table.sample(frac=1, random_state=0), CLASSES)
    assert counts.shape == (4, 2, 3, 3)
    part = table[(table["speaker"] == "s2") & (table["seed"] == 1)]
    assert counts[2, 1].sum() == len(part)
    assert np.trace(counts[2, 1]) == (part["emotion"] == part["predicted"]).sum()


def test_seeds_that_tested_other_speakers():
    table = pd.concat([simulate(3), simulate(3, seed=1).assign(seed=1).replace({"s0": "s7"})])
    counts = speaker_counts(table, CLASSES)
    assert counts.shape == (4, 2, 3, 3)
    assert counts[0, 1].sum() == counts[3, 0].sum() == 0
    assert np.isfinite(speaker_interval(table)).all()


def test_any_statistic_of_the_counts():
    counts = speaker_counts(simulate(10), CLASSES)
    low, high = bootstrap_interval(lambda stack: recalls(stack)[..., 0], counts)
    assert 0 < low < high < 1


def test_wrong_tables_get_a_sentence():
    table = simulate(3)
    with pytest.raises(InputError, match="prediction 4 has no speaker"):
        speaker_interval(table.assign(speaker=table["speaker"].where(table.index != 3)))
    with pytest.raises(InputError, match='no column "emotion"'):
        speaker_interval(table.drop(columns="emotion"))
