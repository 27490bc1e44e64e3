"""The command: one file per verb or kind of verb, all the work elsewhere."""

from unheard.cli import audit, corpora, lists, recognizers, reproduce, studies, tune
from unheard.cli.main import main

__all__ = ["audit", "corpora", "lists", "main", "recognizers", "reproduce", "studies", "tune"]
