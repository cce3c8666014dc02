"""The setup wizard of the first start, which the settings open again."""
