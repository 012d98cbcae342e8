"""The worker as a process: where it listens, whose its state is, how long it lives."""
