"""Evaluation of a fitted model beyond its accuracy."""
