import pytest

from unheard.corpora import Corpus
from unheard.errors import InputError
from unheard.recipe import Recipe
from unheard.studies.plan import Plan


def test_names_that_differ_in_case_only_are_one_folder_on_some_systems(tiny_corpus: Corpus):
    recipes = [Recipe.load("tdnn"), Recipe.load("tdnn", ["name=TDNN"])]
    with pytest.raises(InputError, match=r'two recipes are called "tdnn"; give one another name'):
        Plan.make(tiny_corpus, "speaker-folds:3", recipes)
