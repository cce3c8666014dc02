"""`kiwoom-token`: the command line."""
