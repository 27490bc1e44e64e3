"""The papers: their tables as facts (``results.csv``), and their studies as data (one YAML file each)."""

from unheard.papers.paper import Paper, paper_names, published_results

__all__ = ["Paper", "paper_names", "published_results"]
