"""The token's life over a store and a broker: the seed's `TokenManager` and the single-flight renewal under it."""
