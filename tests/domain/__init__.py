"""Behaviour of the pure decisions."""
