"""Sleep, clock, lock, end and theme, as each system tells them."""
