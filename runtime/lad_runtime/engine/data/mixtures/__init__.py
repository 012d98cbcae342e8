"""Mixes data sets of others."""
