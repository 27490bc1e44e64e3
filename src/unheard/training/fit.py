"""From a recipe and the train and dev parts of a fold to a fitted object."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from unheard.corpora.vocabulary import Vocabulary
from unheard.methods import CLASSIFIERS
from unheard.recipe import Recipe
from unheard.settings import make
from unheard.training.fitted import Fitted, FittedClassifier, build_front_end
from unheard.training.loop import NetworkRun, completed
from unheard.training.split import Split
from unheard.training.stages import pretrained


def fit(
    recipe: Recipe,
    train: Split,
    dev: Split,
    seed: int,
    folder: Path,
    device: str = "auto",
    auxiliary: Split | None = None,
    stages: Path | None = None,
) -> Fitted:
    """Train a recipe on ``train``, choosing the epoch on ``dev``; picks up where ``folder`` says it was.

    Leaves ``metrics.jsonl``, ``tensorboard/``, ``checkpoint.pt`` and, where an epoch is chosen, ``best.pt`` in
    ``folder``. An interrupted call, made again, gives the numbers of one that was never interrupted (on the same device
    and thread count).

    Args:
        recipe: complete.
        train: utterances to learn from; every statistic comes from them.
        dev: utterances that choose the epoch; without any the last epoch is taken. A classical model has no epochs, and
            chooses its settings by inner speaker folds over ``train``.
        seed: of everything random.
        folder: of the run.
        device: ``cpu``, ``cuda`` or ``auto``, or several of a kind for one training, such as ``4xcuda``.
        auxiliary: utterances without emotions to learn from too, as the recipe says; those that it does not ask for
            are left alone.
        stages: where finished stages lie, for other runs to start from; ``stages`` in ``folder`` by default.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if recipe.classifier is not None:
        return _fit_classifier(recipe, train)
    start = pretrained(recipe, train, auxiliary, seed, stages or folder / "stages", device)
    further = auxiliary if recipe.uses_auxiliary else None
    begin = partial(NetworkRun, recipe, train, dev, seed, folder, device, further, start)
    return completed(begin, device, recipe.training.precision).fitted()


def _fit_classifier(recipe: Recipe, train: Split) -> FittedClassifier:
    assert recipe.classifier is not None
    vocabulary = Vocabulary.fit(train.table["emotion"], "emotion")
    classifier = make(CLASSIFIERS[recipe.classifier.name], recipe.classifier.settings)
    fitted = FittedClassifier(recipe, build_front_end(recipe), {"emotion": vocabulary}, classifier)
    classifier.fit(fitted.embeddings(train.features), vocabulary.encode(train.table["emotion"]), train.table["speaker"])
    return fitted
