"""What every test of this distribution shares."""

from hypothesis import HealthCheck, settings

# A busy machine is no fault of a test's. Its examples are the same each time;
# `--hypothesis-profile=searching` looks for others.
settings.register_profile(
    "unhurried",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("searching", settings.get_profile("unhurried"), derandomize=False)
settings.load_profile("unhurried")
