"""The only rooms with Qt: monitor, tray, icon, window, notices and what each OS needs."""
