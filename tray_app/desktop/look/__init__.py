"""How things look: colours, style sheets, the icon."""
