"""The built-in corpus: synthetic speech with emotion, speakers, sessions and a bias that can be set."""

from unheard.corpora.synthetic.assignment import assign_emotions
from unheard.corpora.synthetic.emotions import EXPRESSIONS
from unheard.corpora.synthetic.sentences import SENTENCES
from unheard.corpora.synthetic.synthesize import synthesize

__all__ = ["EXPRESSIONS", "SENTENCES", "assign_emotions", "synthesize"]
