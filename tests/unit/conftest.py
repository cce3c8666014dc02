"""What the tests of several commands share."""

from tests.command_line import run

__all__ = ["run"]
