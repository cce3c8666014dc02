"""The pages of the setup wizard, one a file."""
