"""Tests of the program, and what measures it and wears it out."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The folder of the checkout."""

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}
"""In CI what a test needs has to be there; elsewhere the test is skipped without it."""
