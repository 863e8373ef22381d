"""How hard the property tests look: `pytest --hypothesis-profile=long` for a night's search."""

from __future__ import annotations

import signal
from datetime import timedelta

from hypothesis import HealthCheck, settings

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile(
    "short", max_examples=100, deadline=timedelta(seconds=20), suppress_health_check=_SLOW_IS_FINE
)
settings.register_profile("long", parent=settings.get_profile("short"), max_examples=5_000)
settings.load_profile("short")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As in a job that a shell put into the background. Programs that the tests start would inherit it, and could
    # not be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)
