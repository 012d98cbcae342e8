"""The optimizers of adapters' weights."""
