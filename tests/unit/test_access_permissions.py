"""The gate before the API lets through what the API may permit, and stops what it cannot."""

from __future__ import annotations

import pytest

from daap.access.grants import Action, Principal, parse_grant
from daap.access.permissions import find_need, may_call
from tests.api.test_permissions import GRANTS, OWNER, RULES, STRANGERS

OWNERS = {"spend": OWNER, "other": "eve@example.org"}
CALLERS = {name: Principal(name, (parse_grant(grant),)) for name, grant in (GRANTS | STRANGERS).items()}


def call_of(route: str, product: str = "spend") -> tuple[str, str]:
    method, _, template = route.partition(" ")
    names = {"table": "payments", "version": "v1.0", "upload_id": "v1-x", "load_timestamp": "20260131T235959Z"}
    return method, template.format(name=product, **names)


def allows(caller: Principal, route: str) -> bool:
    return may_call(caller, *call_of(route), OWNERS.get)


@pytest.mark.parametrize("route", sorted(RULES))
class TestEveryRoute:
    def test_is_open_to_who_may(self, route):
        needs = RULES[route].needs
        for name in GRANTS:
            expected = name.split()[0] in needs or "anything" in needs
            assert allows(CALLERS[name], route) == expected, name

    def test_is_closed_to_who_may_elsewhere(self, route):
        if route in ("GET /data-product", "POST /data-product/register"):
            pytest.skip("is about no product that is there")
        assert [name for name in STRANGERS if allows(CALLERS[name], route)] == []

    def test_is_open_to_who_may_everything(self, route):
        assert allows(Principal("admin", (parse_grant("admin"),)), route)

    def test_is_closed_to_who_has_no_grants(self, route):
        assert not allows(Principal("nobody", ()), route)


def test_a_product_is_looked_up_only_for_who_goes_by_owner():
    def find_owner(product: str) -> str:
        raise AssertionError(product)

    assert not may_call(CALLERS["read of another"], "GET", "/data-product/spend", find_owner)
    assert may_call(CALLERS["read by name"], "GET", "/data-product/spend", find_owner)


def test_a_product_that_is_not_there_belongs_to_nobody():
    assert not may_call(CALLERS["manage by owner"], "DELETE", "/data-product/nowhere", OWNERS.get)


@pytest.mark.parametrize("path", ["/", "", "/health", "/other/spend", "/data-productx/spend", "/Data-Product/spend"])
def test_other_paths_are_nobodys(path):
    assert not may_call(Principal("admin", (parse_grant("admin"),)), "GET", path, OWNERS.get)


@pytest.mark.parametrize(("path", "product"), [
    ("/data-product/spend", "spend"), ("/data-product/spend/", "spend"), ("/data-product/sp%65nd", "spend"),
    ("/data-product/a%2Fb", "a/b"), ("//data-product/spend", "spend"),
])  # fmt: skip
def test_a_product_is_read_as_the_api_reads_it(path, product):
    need = find_need("GET", path)
    assert need
    assert need.product == product


@pytest.mark.parametrize("table", ["preview", "file", "upload", "table"])
def test_what_a_table_is_called_does_not_matter(table):
    for method, action in (("GET", Action.UPLOAD), ("PUT", Action.MANAGE)):
        need = find_need(method, f"/data-product/spend/table/{table}/schema")
        assert need
        assert action in need.actions
