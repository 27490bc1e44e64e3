"""The command: one file per verb or kind of verb, all the work elsewhere."""

from unheard.cli import audit, corpora, export, lists, recognizers, reproduce, serve, studies, tune
from unheard.cli.main import main

__all__ = ["audit", "corpora", "export", "lists", "main", "recognizers", "reproduce", "serve", "studies", "tune"]
