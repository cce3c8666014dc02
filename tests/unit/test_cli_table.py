"""Columns on a terminal stay aligned with Korean text in them."""

from __future__ import annotations

import unicodedata

import pytest

from tray_app.cli.table import in_columns, width_of


@pytest.mark.parametrize(
    ("text", "cells"), [("", 0), ("abc", 3), ("계좌", 4), ("실전-1", 6), (unicodedata.normalize("NFC", "é"), 1)]
)
def test_a_korean_letter_is_two_cells_wide(text: str, cells: int) -> None:
    assert width_of(text) == cells


def test_an_accent_of_its_own_takes_no_cell() -> None:
    assert width_of(unicodedata.normalize("NFD", "é")) == 1


def test_columns_are_as_wide_as_their_widest_text() -> None:
    assert in_columns([("day", "real", "x"), ("스윙-2", "demo", "yy")]) == ["day     real  x", "스윙-2  demo  yy"]


def test_the_last_column_is_not_padded_and_no_line_ends_with_blanks() -> None:
    assert in_columns([("a", "long text"), ("bb", "")]) == ["a   long text", "bb"]


def test_no_rows_are_no_lines() -> None:
    assert in_columns([]) == []
