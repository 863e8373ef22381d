"""What a product's answer says of another catalogue, and that a broken one is no matter of the API."""

from __future__ import annotations

import pytest
from anyio.from_thread import BlockingPortal

from daap.errors import StoreUnavailable
from daap.pipeline.publish import push_product
from daap.ports.publisher import PublishFailed
from daap.publishers.pages.publisher import PagesPublisher
from tests.api.site import HOME, PRODUCT, Site


@pytest.fixture
def shown(folder, portal: BlockingPortal, monkeypatch) -> Site:
    """A lake whose products are shown as pages."""
    monkeypatch.setenv("DAAP_CATALOGUE", "files")
    site = Site.open(folder, portal)
    site.register()
    return site


def state(site: Site) -> dict:
    return site.admin.get(HOME).json()["catalogue"]


def test_nobody_has_told_it_yet(shown):
    assert state(shown) == {
        "state": "waiting", "publisher": "files", "version": None, "at": None, "tries": 0, "error": None,
    }  # fmt: skip


def test_it_is_published_and_after_a_change_waits_again(shown):
    push_product(shown.lake, PRODUCT)
    found = state(shown)
    assert (found["state"], found["version"], found["error"]) == ("published", "v1.0", None)
    shown.admin.put(HOME, {"metadata": {"name": PRODUCT, "description": "Other words"}})
    found = state(shown)
    assert (found["state"], found["version"]) == ("waiting", "v1.0")


def test_a_failure_is_told_with_its_error(shown, monkeypatch):
    def refuse(*_args):
        raise PublishFailed("it is down")

    monkeypatch.setattr(PagesPublisher, "publish", refuse)
    push_product(shown.lake, PRODUCT)
    push_product(shown.lake, PRODUCT)
    found = state(shown)
    assert (found["state"], found["version"], found["tries"], found["error"]) == ("failed", "v1.0", 2, "it is down")
    (mended,) = shown.admin.post(f"{HOME}/resync").json()["mended"]
    assert mended == {"found": "catalogue", "what": PRODUCT, "error": "it is down"}


def test_a_state_that_cannot_be_read_keeps_nobody_from_the_product(shown, monkeypatch):
    read = type(shown.lake.store).read

    def refuse(store, key):
        if "catalogue-pushes" in key:
            raise StoreUnavailable("no permission")
        return read(store, key)

    monkeypatch.setattr(type(shown.lake.store), "read", refuse)
    answer = shown.admin.get(HOME)
    assert (answer.status_code, answer.json()["catalogue"]) == (200, None)
