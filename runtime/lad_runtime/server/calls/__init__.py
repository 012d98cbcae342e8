"""What a call passes through, and what a method may leave to others: places, threads, waiting."""
