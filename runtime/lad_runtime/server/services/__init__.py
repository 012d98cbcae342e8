"""A service of the protocol in each file: its methods translate and call."""
