"""Tests of the engine: whole passes over a store in RAM."""
