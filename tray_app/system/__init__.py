"""What each operating system does differently: private files, locks, processes, signals, the clock."""
