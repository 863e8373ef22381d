"""Who may do what: every route by every kind of caller, and nothing told to those who may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from daap.access.grants import parse_grant
from daap.access.tokens import TokenStore
from daap.api.app import create_app
from daap_local.bootstrap import open_store
from tests.api.conftest import fill_lake
from tests.api.site import GOOD, HOME, PAYMENTS, TABLE, Client, Site, digest, make_metadata, make_schema, message_of
from tests.support.lakes import quick_folder

OWNER, STRANGER = "ann@example.org", "eve@example.org"
READ, UPLOAD, MANAGE = "read", "upload", "manage"
UNKNOWN = "v1-20260131T235959Z-7c1c62a1-6c1b-4f0e-9a52-6d5c0e1e9a3b"
PARTS = "/data-product/{name}/table/{table}/upload/multipart"


@dataclass(frozen=True)
class Rule:
    """What suffices for a call, a request that is right but for who makes it, and what it is answered with."""

    needs: tuple[str, ...]
    status: int = 200
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    fresh_table: bool = False


SEEN, SCHEMA = (READ, UPLOAD, MANAGE), {"schema": make_schema()}
RULES = {
    "POST /data-product/register": Rule((MANAGE,), 409, {"metadata": make_metadata()}),
    "GET /data-product": Rule(("anything",)),
    "GET /data-product/{name}": Rule(SEEN),
    "PUT /data-product/{name}": Rule((MANAGE,), 400, {"metadata": {"domain": "finance"}}),
    "DELETE /data-product/{name}": Rule((MANAGE,), 409),
    "GET /data-product/{name}/versions": Rule(SEEN),
    "GET /data-product/{name}/versions/compare": Rule(SEEN, query={"from": "v1.0", "to": "v1.1"}),
    "GET /data-product/{name}/versions/{version}": Rule(SEEN),
    "PUT /data-product/{name}/legal-hold": Rule((MANAGE,), body={"reason": "why"}),
    "DELETE /data-product/{name}/legal-hold": Rule((MANAGE,)),
    "POST /data-product/{name}/table/{table}/schema": Rule((MANAGE,), body=SCHEMA, fresh_table=True),
    "GET /data-product/{name}/table/{table}/schema": Rule(SEEN),
    "PUT /data-product/{name}/table/{table}/schema": Rule((MANAGE,), 400, SCHEMA),
    "POST /data-product/{name}/table/{table}/schema/rehearse": Rule((MANAGE,), body=SCHEMA),
    "GET /data-product/{name}/table/{table}/preview": Rule((READ, MANAGE)),
    "DELETE /data-product/{name}/table/{table}": Rule((MANAGE,), 409),
    "POST /data-product/{name}/table/{table}/upload": Rule(
        (UPLOAD, MANAGE), body={"filename": "a.csv", "contentMD5": digest(GOOD)}
    ),
    "GET /data-product/{name}/table/{table}/upload/{upload_id}": Rule(SEEN),
    f"POST {PARTS}": Rule((UPLOAD, MANAGE), body={"filename": "a.csv", "contentLength": 7}),
    f"POST {PARTS}/{{upload_id}}/complete": Rule((UPLOAD, MANAGE), 404, {"handle": "x", "etags": ["x"]}),
    f"DELETE {PARTS}/{{upload_id}}": Rule((UPLOAD, MANAGE), 404, query={"handle": "x"}),
    "GET /data-product/{name}/table/{table}/loads": Rule(SEEN),
    "GET /data-product/{name}/table/{table}/loads/{load_timestamp}": Rule(SEEN),
    "GET /data-product/{name}/table/{table}/loads/{load_timestamp}/errors": Rule(SEEN, 404),
    "GET /data-product/{name}/table/{table}/loads/{load_timestamp}/file": Rule((READ, MANAGE)),
    "POST /data-product/{name}/reload": Rule((MANAGE,)),
    "POST /data-product/{name}/resync": Rule((MANAGE,)),
    "POST /data-product/{name}/retention": Rule((MANAGE,)),
}
"""A destructive call is made under a legal hold, so that each caller finds the same lake."""

OPEN = {"GET /health", "GET /docs", "GET /openapi.json"}
SIGNED = {"POST /uploads/{bucket}", "PUT /uploads/parts/{handle}/{number}"}

GRANTS = {
    f"{action} {how}": f"{action}:{scope}"
    for action in (READ, UPLOAD, MANAGE)
    for how, scope in (("by name", "spend"), ("by owner", f"owner={OWNER}"), ("of all", "*"))
}
STRANGERS = {
    f"{action} {how}": f"{action}:{scope}"
    for action in (READ, UPLOAD, MANAGE)
    for how, scope in (
        ("of another", "other"),
        ("of its table's name", TABLE),
        ("of another owner", f"owner={STRANGER}"),
    )
}


class Gate:
    """A lake with some of everything under a legal hold, and callers of every kind."""

    def __init__(self, site: Site) -> None:
        self.site = site
        fill_lake(site)
        site.admin.put(f"{HOME}/legal-hold", {"reason": "why"})
        site.register("other", dataProductOwner=STRANGER)
        self.callers = {name: site.client(grant, name=name) for name, grant in (GRANTS | STRANGERS).items()}
        self.callers["nobody"] = site.bearer(None)
        self.callers["everybody"] = site.admin
        self.nobodies = dict(self._make_nobodies())
        (self.stamp, *_) = site.lake.ledger.stamps(site.lake.registry.find_ref("spend", TABLE))
        self._fresh = 0

    def _make_nobodies(self) -> Iterator[tuple[str, Client]]:
        """Callers whose tokens are not valid, each for everything if it were."""
        site, admin = self.site, [parse_grant("admin")]
        yesterday = datetime.now(UTC) - timedelta(days=1)
        early = TokenStore(open_store(site.root), lambda: yesterday)
        revoked, info = site.tokens.create("revoked", admin)
        site.tokens.revoke(info.id)
        swapped, kept = site.client("admin", name="swapped"), site.admin.token
        yield "expired", site.bearer(early.create("late", admin, yesterday + timedelta(hours=1))[0])
        yield "revoked", site.bearer(revoked)
        yield "wrong secret", site.bearer(kept[:-1] + ("a" if kept[-1] != "a" else "b"))
        yield "wrong id", site.bearer(f"daap_{'a' * 16}_{kept.rpartition('_')[2]}")
        yield "secret of another", site.bearer(f"{swapped.token.rpartition('_')[0]}_{kept.rpartition('_')[2]}")
        yield "cut", site.bearer(kept[:-1])
        yield "longer", site.bearer(kept + "a")
        yield "in capitals", site.bearer(kept.upper())
        yield "words", site.bearer("let me in")
        yield "a key of the store", site.bearer("daap_../../../../etc/passwd")
        yield "unsigned jwt", site.bearer("eyJhbGciOiJub25lIn0.eyJkYWFwX2dyYW50cyI6WyJhZG1pbiJdfQ.")
        yield "huge", site.bearer("daap_" + "a" * 20_000)

    def call(self, caller: Client, route: str, product: str = "spend") -> httpx.Response:
        """The call of a route about a product."""
        rule = RULES[route]
        self._fresh += rule.fresh_table
        method, _, template = route.partition(" ")
        path = template.format(
            name=product, table=f"fresh_{self._fresh}" if rule.fresh_table else TABLE, version="v1.0",
            upload_id=UNKNOWN, load_timestamp=self.stamp,
        )  # fmt: skip
        body = rule.body
        if route.endswith("register"):
            body = {"metadata": make_metadata(product)}
        return caller.call(method, path, json=body, params=rule.query or None)


@pytest.fixture(scope="module")
def gate(tmp_path_factory, portal):
    with quick_folder(tmp_path_factory.mktemp("gate")) as folder:
        yield Gate(Site.open(folder, portal))


def list_routes(site: Site) -> set[str]:
    """Every method of every path of the app."""
    contexts = iter_route_contexts(site.app.routes)
    return {f"{method} {route.path}" for route in contexts for method in route.methods or () if method != "HEAD"}


def test_no_route_is_without_a_rule(gate):
    assert list_routes(gate.site) == RULES.keys() | OPEN | SIGNED


def test_no_documented_call_is_without_a_rule(gate):
    paths = gate.site.app.openapi()["paths"]
    documented = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert documented == RULES.keys() | {"GET /health"}


@pytest.mark.parametrize("route", sorted(RULES))
class TestEveryRoute:
    def test_refuses_who_has_no_valid_token(self, gate, route):
        before = gate.site.snapshot()
        answers = {name: gate.call(caller, route) for name, caller in gate.nobodies.items()}
        assert {answer.status_code for answer in answers.values()} == {401}
        bodies = {name: answer.content for name, answer in answers.items() if name != "huge"}
        assert len(set(bodies.values())) == 1, "the reason is told"
        nobody = gate.call(gate.callers["nobody"], route)
        assert "authorizationToken" in message_of(nobody, 401)
        assert nobody.headers["www-authenticate"] == "authorizationToken"
        assert gate.site.snapshot() == before

    def test_refuses_who_may_do_other_things_or_this_elsewhere(self, gate, route):
        if "anything" in RULES[route].needs:
            pytest.skip("tells everybody what they may see")
        before = gate.site.snapshot()
        for name in [*STRANGERS, *(name for name in GRANTS if name.split()[0] not in RULES[route].needs)]:
            caller = gate.callers[name]
            said = message_of(gate.call(caller, route), 403)
            assert said.startswith(f"{name} may not "), name
            assert caller.token not in said
        assert gate.site.snapshot() == before

    def test_tells_a_refused_caller_the_same_of_what_is_there_and_what_is_not(self, gate, route):
        if "anything" in RULES[route].needs:
            pytest.skip("names no product")
        for name in STRANGERS:
            caller = gate.callers[name]
            there, nowhere = (gate.call(caller, route, product) for product in ("spend", "nowhere"))
            assert (there.status_code, there.text) == (403, nowhere.text.replace("nowhere", "spend")), name
            assert [*there.headers] == [*nowhere.headers] == ["content-length", "content-type"]

    def test_lets_in_who_may(self, gate, route):
        rule = RULES[route]
        names = [name for name in GRANTS if name.split()[0] in rule.needs or "anything" in rule.needs]
        for name in ["everybody", *names]:
            if route.endswith("legal-hold"):
                gate.site.admin.put(f"{HOME}/legal-hold", {"reason": "why"})
            answer = gate.call(gate.callers[name], route)
            assert answer.status_code == rule.status, f"{name}: {answer.text}"
            assert gate.callers[name].token not in answer.text
        gate.site.admin.put(f"{HOME}/legal-hold", {"reason": "why"})


class TestOpenPaths:
    @pytest.mark.parametrize("route", sorted(OPEN))
    def test_need_no_token(self, gate, route):
        method, _, path = route.partition(" ")
        for caller in (gate.callers["nobody"], gate.nobodies["revoked"]):
            assert caller.call(method, path).status_code == 200

    @pytest.mark.parametrize("path", [
        "/", "/data-product/", "/nothing", "/docs2", "/health/data-product", "/docs/../data-product", "//data-product",
        "/health/../data-product/spend", "/uploads/../data-product", "/docs/%2e%2e/data-product/spend", "/redoc",
        "/uploads", "/openapi.json/../data-product", "/Health", "/data-product?x=/health", "/data-product#/health",
        "/data-product;/docs", "/uploads/..%2fdata-product/spend",
    ])  # fmt: skip
    def test_open_no_way_to_others(self, gate, path):
        answer = gate.callers["nobody"].get(path)
        assert answer.status_code in (401, 404, 405)
        assert "spend" not in answer.text

    def test_a_form_needs_its_signature(self, gate):
        before = gate.site.snapshot()
        answer = gate.callers["nobody"].call(
            "POST", "/uploads/landing", data={"key": "spend/payments/a.csv"}, files={"file": b"x"}
        )
        assert answer.status_code == 403
        assert gate.callers["everybody"].call("PUT", f"/uploads/parts/{'0' * 32}/1", content=b"x").status_code == 404
        assert gate.site.snapshot() == before


class TestTokens:
    def test_may_come_as_a_bearers(self, gate):
        token = gate.site.admin.token
        for headers in ({"authorization": f"Bearer {token}"}, {"authorizationToken": f"Bearer {token}"},
                        {"AUTHORIZATIONTOKEN": token}, {"authorizationtoken": f" {token} "}):  # fmt: skip
            answer = gate.callers["nobody"].call("GET", HOME, headers=headers)
            assert answer.status_code == 200, headers

    @pytest.mark.parametrize("place", ["query", "cookie", "basic"])
    def test_come_no_other_way(self, gate, place):
        token, nobody = gate.site.admin.token, gate.callers["nobody"]
        options = {
            "query": {"params": {"authorizationToken": token, "token": token}},
            "cookie": {"headers": {"cookie": f"authorizationToken={token}"}},
            "basic": {"headers": {"authorization": f"Basic {token}"}},
        }[place]
        message_of(nobody.call("GET", HOME, **options), 401)

    def test_end_at_once_when_they_are_revoked(self, gate):
        caller = gate.site.client("read:spend", name="leaver")
        assert caller.get(HOME).status_code == 200
        gate.site.tokens.revoke(caller.token.split("_")[1])
        message_of(caller.get(HOME), 401)

    def test_end_when_they_expire(self, gate):
        soon = datetime.now(UTC) + timedelta(milliseconds=300)
        caller = gate.site.client("read:spend", name="visitor", expires=soon)
        assert caller.get(HOME).status_code == 200
        while datetime.now(UTC) < soon:
            pass
        message_of(caller.get(HOME), 401)

    def test_several_grants_add_up(self, gate):
        both = gate.site.client("upload:spend", "read:other", name="both")
        assert both.get(f"{PAYMENTS}/preview").status_code == 403
        assert both.get(HOME).status_code == both.get("/data-product/other").status_code == 200
        assert both.post(f"{PAYMENTS}/upload", {"filename": "a.csv", "contentMD5": digest(GOOD)}).status_code == 200

    def test_none_is_in_any_object_of_the_lake(self, gate):
        """After all that the other tests have done."""
        secrets = [caller.token.rpartition("_")[2] for caller in (*gate.callers.values(), *gate.nobodies.values())]
        kept = [secret.encode() for secret in secrets if len(secret) >= 40]
        assert len(kept) > 20
        for path in gate.site.root.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert not any(secret in data for secret in kept), path


class TestListing:
    @pytest.mark.parametrize(("grants", "seen"), [
        (["admin"], ["other", "spend"]), (["read:*"], ["other", "spend"]), (["upload:spend"], ["spend"]),
        (["manage:other"], ["other"]), ([f"read:owner={OWNER}"], ["spend"]), (["read:nothing"], []),
        (["read:other", "upload:spend"], ["other", "spend"]), (["read:owner=ANN@example.org"], []),
    ])  # fmt: skip
    def test_shows_what_the_caller_may_see(self, gate, grants, seen):
        caller = gate.site.client(*grants, name="looker")
        assert [product["name"] for product in caller.page("/data-product", "products", limit=1)] == seen
        assert [product["name"] for product in caller.get("/data-product").json()["products"]] == seen

    def test_a_search_finds_nothing_that_the_caller_may_not_see(self, gate):
        caller = gate.site.client("read:other", name="searcher")
        assert caller.get("/data-product", search="spend").json() == {"products": [], "next": None}


class TestOwners:
    def test_may_register_for_themselves_alone(self, empty):
        ann = empty.client(f"manage:owner={OWNER}", name="ann")
        assert ann.post("/data-product/register", {"metadata": make_metadata()}).status_code == 201
        other = make_metadata("other", dataProductOwner=STRANGER)
        message_of(ann.post("/data-product/register", {"metadata": other}), 403)

    def test_may_register_by_name_for_any_owner(self, empty):
        bob = empty.client("manage:spend", name="bob")
        assert bob.post("/data-product/register", {"metadata": make_metadata()}).status_code == 201
        message_of(bob.post("/data-product/register", {"metadata": make_metadata("other")}), 403)

    def test_may_not_give_a_product_away_that_is_theirs_by_owner(self, site):
        ann = site.client(f"manage:owner={OWNER}", name="ann")
        before = site.snapshot()
        for owner in (STRANGER, f" {STRANGER} "):
            message_of(ann.put(HOME, {"metadata": {"dataProductOwner": owner}}), 403)
        assert site.snapshot() == before

    def test_whose_product_goes_to_another_see_it_no_more(self, site):
        ann, eve = site.client(f"read:owner={OWNER}"), site.client(f"read:owner={STRANGER}")
        assert [caller.get(HOME).status_code for caller in (ann, eve)] == [200, 403]
        assert site.admin.put(HOME, {"metadata": {"dataProductOwner": STRANGER}}).status_code == 200
        assert [caller.get(HOME).status_code for caller in (ann, eve)] == [403, 200]
        listed = [caller.get("/data-product").json()["products"] for caller in (ann, eve)]
        assert [len(products) for products in listed] == [0, 1]


def test_a_route_without_the_guard_cannot_be_made(gate):
    """Whatever is added to the app lies behind it."""
    app = create_app(gate.site.app.state.backend)
    app.add_api_route("/new", lambda: "secret")
    assert Client(app, gate.site.portal, None).get("/new").status_code == 401
    assert Client(app, gate.site.portal, gate.site.admin.token).get("/new").json() == "secret"
