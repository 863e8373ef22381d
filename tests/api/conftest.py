"""Sites for the tests of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.api.site import Site
from tests.support.lakes import quick_folder


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop that all apps run in."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder for a lake."""
    with quick_folder(tmp_path) as folder:
        yield folder


@pytest.fixture
def empty(folder: Path, portal: BlockingPortal) -> Site:
    """A lake without products."""
    return Site.open(folder, portal)


@pytest.fixture
def site(empty: Site) -> Site:
    """A lake with the product spend and its table payments, without loads."""
    empty.register()
    empty.add_table()
    return empty
