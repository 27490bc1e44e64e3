"""The audit: what can be proved about a corpus and its folds before any training, and what they leak."""

from unheard.audit.audit import Audit, audit

__all__ = ["Audit", "audit"]
