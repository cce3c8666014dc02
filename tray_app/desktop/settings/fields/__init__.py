"""The input field of each kind of setting."""
