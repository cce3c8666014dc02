"""What happened to each token: the events, their database, and the words for them."""
