"""Sides that score."""
