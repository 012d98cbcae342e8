"""The protocol's services, one in each file. Their methods translate messages and call the engine."""
