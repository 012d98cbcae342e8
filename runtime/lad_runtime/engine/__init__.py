"""Schedules the device, and keeps resident models, data sets and runs. Imports neither torch nor protobuf."""
