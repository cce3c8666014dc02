"""The picture and the list of what happened."""
