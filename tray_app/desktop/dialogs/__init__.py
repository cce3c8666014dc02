"""Questions to the user: remove the token, replace it, enter the app key."""
