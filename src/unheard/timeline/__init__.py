"""Emotion over time: windows over the speech of a recording of any length, as it comes in or as a whole."""
