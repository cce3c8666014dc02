"""Kiwoom's token API: issue, revoke and verify, its error codes, the app keys, and a sandbox server."""
