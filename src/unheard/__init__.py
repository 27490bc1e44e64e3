"""Speech emotion recognition for voices it has never heard."""

__version__ = "0.1.0"
