"""The settings, where each value comes from, and where files are stored."""
