"""The set-up of the first start, which the settings open again."""
