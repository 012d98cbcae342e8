"""The worker as a process: its address, command line, state folder, connections and lifetime."""
