"""Tests of the wiring: what the parts are given when they are put together."""
