"""Tests of the program, and what measures it and wears it out."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the checkout."""
