"""The history window: the last seven days as a picture and as a list."""
