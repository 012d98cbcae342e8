"""Answers the calls of `proto/lad/v1`: translates, hands to the engine, translates back."""
