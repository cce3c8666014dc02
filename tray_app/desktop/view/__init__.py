"""From the state of the accounts to what icon, tooltip, menu and window show."""
