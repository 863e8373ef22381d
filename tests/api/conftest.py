"""Sites for the tests of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from tests.api.site import BAD, GOOD, HOME, TABLE, Site, make_metadata, make_schema
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


def fill_lake(site: Site) -> None:
    """Some of everything: versions, a table with loads good and bad, one without, a files component, a hold."""
    files = {"papers": {"description": "Contracts as they come"}}
    body = {"metadata": make_metadata(tags={"release": "monthly"}), "tables": {TABLE: make_schema()}, "files": files}
    assert site.admin.post("/data-product/register", body).status_code == 201
    site.add_table(table="refunds")
    site.admin.put(HOME, {"metadata": {"description": "Everything that was paid"}})
    for name, data in (("first.csv", GOOD), ("second.csv", BAD), ("third.csv", GOOD + b"Fern,1\r\n")):
        site.take(data, name)
    site.take(b"%PDF", "contract.pdf", "papers")


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory, portal: BlockingPortal) -> Iterator[Site]:
    """A lake with some of everything, for tests that change nothing: it is as it was after them all."""
    with quick_folder(tmp_path_factory.mktemp("still")) as folder:
        site = Site.open(folder, portal)
        fill_lake(site)
        before = site.snapshot()
        yield site
        after = site.snapshot()
        assert after == before, sorted(after.items() ^ before.items())
