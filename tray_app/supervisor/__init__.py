"""Keeps the token of one account valid, without a screen: the tray and `kiwoom-token watch` are its two faces."""
