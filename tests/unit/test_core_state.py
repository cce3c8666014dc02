"""What there is to show of a token: how long it is valid, as far as that is known."""

from __future__ import annotations

import pytest

from tests.doubles import START
from tray_app.core.state import Life, TokenState, life_of


@pytest.mark.parametrize(
    ("left", "life"),
    [
        (3600, Life.VALID),
        (300, Life.VALID),
        (299, Life.ENDING),
        (1, Life.ENDING),
        (0, Life.EXPIRED),
        (-60, Life.EXPIRED),
    ],
)
def test_a_token_is_ending_in_its_last_five_minutes_and_then_expired(left: float, life: Life) -> None:
    assert life_of(START + left, START) is life


def test_a_doubtful_token_is_unconfirmed_until_it_expires() -> None:
    assert life_of(START + 3600, START, is_doubtful=True) is Life.UNCONFIRMED
    assert life_of(START - 1, START, is_doubtful=True) is Life.EXPIRED


def test_without_a_token_the_previous_one_may_have_been_found_dead() -> None:
    assert life_of(None, START) is Life.NONE
    assert life_of(None, START, is_dead=True) is Life.DEAD


def test_a_dead_token_does_not_make_the_next_one_dead() -> None:
    state = TokenState("default", "real", expires=START + 3600, dead_at=START - 60)

    assert state.life(START) is Life.VALID


def test_an_expired_token_has_no_seconds_left() -> None:
    state = TokenState("default", "real", created=START, expires=START + 1000)

    assert [state.remaining(START + passed) for passed in (0, 1000, 2000)] == [1000.0, 0.0, 0.0]
