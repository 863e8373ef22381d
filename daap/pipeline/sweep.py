"""Removing everything below a prefix, in the way that the store is best at."""

from __future__ import annotations

from daap.ports.objects import CanPrune, CanSweep, ObjectStore


def sweep_prefix(store: ObjectStore, prefix: str) -> None:
    """Removes every object below `prefix`, which ends in a slash, and the folders that are empty then."""
    if isinstance(store, CanSweep):
        store.sweep(prefix)
    else:
        for info in list(store.list(prefix)):
            store.delete(info.key)
    if isinstance(store, CanPrune):
        store.prune(prefix)
