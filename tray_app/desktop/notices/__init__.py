"""Notices by each platform's own means."""
