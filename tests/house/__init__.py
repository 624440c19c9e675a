"""Tests of the house around the code: docs, README, workflows, pins, contracts."""
