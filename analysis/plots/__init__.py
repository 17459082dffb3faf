"""Figures: frames in, axes out; one theme, labels handed in from the instrument."""

from analysis.plots.theme import use_theme

__all__ = ["use_theme"]
