"""Where a token rests, the lock that guards it and the signal that tells of a change."""
