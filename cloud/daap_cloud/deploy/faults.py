"""What goes wrong in a deployment."""

from __future__ import annotations

from daap.errors import DaapError


class DeployFailed(DaapError):
    """The stack is not as it was meant to be; says which resource stood in the way, and why."""


class StillInUse(DaapError):
    """What is to be deleted holds data."""
