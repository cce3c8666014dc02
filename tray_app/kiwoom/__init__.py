"""The broker: issuing and revoking tokens, its error codes, the keys, and a practice Kiwoom."""
