"""The processes that are measured: each loads, gets its inputs, and runs one timed unit whenever it is asked to."""
