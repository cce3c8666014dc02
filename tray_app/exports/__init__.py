"""The token as other tools read it: kiwoomcli's cache, a file for bots, a copy of `.token`, formats to print."""
