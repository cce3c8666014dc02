"""Colours, dark mode and style sheets."""
