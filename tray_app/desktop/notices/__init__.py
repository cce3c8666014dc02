"""Notifications through each platform's own service."""
