"""Translates between the protocol's messages and the typed values of `lad_runtime.types`."""
