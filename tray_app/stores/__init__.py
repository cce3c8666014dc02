"""Where a token is stored, the lock that guards it and the marker that tells of a change."""
