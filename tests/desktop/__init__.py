"""End-to-end tests on a real desktop: the X server, panel, notification daemon and keyring that people run."""
