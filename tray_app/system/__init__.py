"""What lies under the program on each system: private files, locks, processes, signals, the clock."""
