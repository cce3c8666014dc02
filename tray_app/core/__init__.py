"""What a token is, how long it lives and what must happen when. No Qt, no network, no disk."""
