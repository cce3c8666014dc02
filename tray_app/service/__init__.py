"""One token per account over a store and the broker: read, issue, renew, revoke and clear, one process at a time."""
