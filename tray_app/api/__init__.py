"""What Python programs import: the token manager, and its adapters for HTTP clients."""
