"""Readers of published corpora: one file each, with the layout it expects and the counts it must find."""
