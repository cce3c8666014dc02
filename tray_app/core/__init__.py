"""What a token is, how long it is valid and what is due when. No Qt, no network, no disk."""
