"""What every test of this distribution shares."""

from hypothesis import HealthCheck, settings

# A busy machine is no fault of a test's.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
