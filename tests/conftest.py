"""What holds for every test: nothing fails because the machine is busy."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Hypothesis times each example and the making of it; a slow machine is no defect, and speed is measured elsewhere.
settings.register_profile("gradesync", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gradesync")
