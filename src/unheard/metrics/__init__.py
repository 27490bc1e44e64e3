"""Metrics: the field's scores, their intervals over speakers, and paired tests. Nothing here needs torch.

``classification`` (WA, UA, F1, confusion), ``verification`` (EER), ``regression`` (CCC) and ``curves`` are the plain
scores; ``counts`` says the same of arrays of confusion counts, on which ``predictions`` (tables of scores),
``intervals`` and ``comparison`` stand; ``association`` says how far one column predicts another.
"""
