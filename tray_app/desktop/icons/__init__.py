"""The pictures of the program: tray icon and application icon."""
