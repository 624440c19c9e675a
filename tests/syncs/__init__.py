"""Tests of the two syncs, with the ports played in RAM."""
