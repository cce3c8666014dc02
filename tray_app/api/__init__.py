"""What Python programs import: the token manager and what hands its token to HTTP clients."""
