"""The token window: the countdown, where the token is stored, what happened and what comes next."""
