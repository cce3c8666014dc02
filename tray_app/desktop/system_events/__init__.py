"""Sleep, clock changes, screen lock, logout and theme changes, as each operating system reports them."""
