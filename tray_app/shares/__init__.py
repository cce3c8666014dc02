"""The token as other tools read it."""
