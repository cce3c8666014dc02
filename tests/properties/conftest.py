"""What Hypothesis tries: in the ordinary tests little, and always the same; more with `--hypothesis-profile=long`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "short",
    max_examples=60,
    stateful_step_count=25,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
settings.register_profile("long", settings.get_profile("short"), max_examples=3000, derandomize=False)
settings.load_profile("short")


def pytest_configure(config: pytest.Config) -> None:
    """Hypothesis itself looks for the profile before this file is read, where only a folder above is named."""
    profile = config.getoption("--hypothesis-profile", default=None)
    if profile:
        settings.load_profile(profile)
