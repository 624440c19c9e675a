"""Measurements, never tests: each prints a ratio against a named baseline of the same run, with memory."""
