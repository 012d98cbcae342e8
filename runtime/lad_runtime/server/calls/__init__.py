"""What the services share: authentication, limits on concurrent calls, threads, waiting, and errors."""
