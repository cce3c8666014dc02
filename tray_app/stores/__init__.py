"""Where a token is stored, the lock that guards it and the marker that announces a change."""
