"""Products over the API: registering, listing, amending, deleting, versions, legal hold."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daap.model.versions import parse_version
from daap.registry.amend import AMENDABLE, amend_metadata
from daap.registry.heads import Change
from tests.api.site import BAD, HOME, PAYMENTS, TABLE, make_metadata, make_schema, message_of

REGISTER = "/data-product/register"
VERSIONS = f"{HOME}/versions"


class TestRegistering:
    def test_is_answered_in_words(self, empty):
        answer = empty.admin.post(REGISTER, {"metadata": make_metadata()})
        assert (answer.status_code, answer.json()) == (201, {"message": "spend registered in the data platform"})

    def test_the_product_is_there_at_v1_0(self, empty):
        empty.register()
        found = empty.admin.get(HOME).json()
        moments = [datetime.fromisoformat(found.pop(key)) for key in ("creationDate", "lastUpdated")]
        assert moments[0] == moments[1] <= datetime.now(UTC)
        assert found == {
            "name": "spend", "version": "v1.0", "metadata": make_metadata(), "tables": {}, "files": {},
            "databases": [{"name": "spend_v1", "version": "v1.0", "current": True}], "legalHold": None,
            "catalogue": None,
        }  # fmt: skip

    def test_tables_and_files_may_come_with_it(self, empty):
        files = {"papers": {"description": "Contracts"}}
        body = {"metadata": make_metadata(), "tables": {TABLE: make_schema()}, "files": files}
        assert empty.admin.post(REGISTER, body).status_code == 201
        found = empty.admin.get(HOME).json()
        assert (found["tables"], found["files"]) == ({TABLE: make_schema()}, files)

    @pytest.mark.parametrize("part", ["tables", "files"])
    def test_a_table_within_the_metadata_is_not_lost_without_a_word(self, empty, part):
        body = {"metadata": make_metadata(**{part: {}})}
        assert (
            message_of(empty.admin.post(REGISTER, body), 400) == f"metadata.{part}: stands beside metadata, as {part}"
        )

    def test_a_table_and_a_files_component_may_not_have_one_name(self, empty):
        files = {TABLE: {"description": "Contracts"}}
        body = {"metadata": make_metadata(), "tables": {TABLE: make_schema()}, "files": files}
        assert TABLE in message_of(empty.admin.post(REGISTER, body), 400)

    def test_wrong_metadata_is_told_field_by_field(self, empty):
        metadata = make_metadata(email="nobody", status="new", dpiaRequired="yes") | {"colour": "red"}
        del metadata["domain"]
        answer = empty.admin.post(REGISTER, {"metadata": metadata})
        message_of(answer, 400)
        problems = answer.json()["error"]["problems"]
        assert {problem["path"] for problem in problems} == {"email", "status", "dpiaRequired", "colour", "domain"}
        assert all(problem["message"] for problem in problems)
        assert empty.admin.get("/data-product").json()["products"] == []

    @pytest.mark.parametrize("name", ["", "Spend", "a b", "../x", "a" * 129, "né", "x;drop table y", "a\n"])
    def test_a_wrong_name_is_refused(self, empty, name):
        before = empty.snapshot()
        assert "name" in message_of(empty.admin.post(REGISTER, {"metadata": make_metadata(name)}), 400)
        assert empty.snapshot() == before

    @pytest.mark.parametrize("field", ["version", "id", "lastUpdated", "creationDate"])
    def test_what_daap_sets_may_not_be_given(self, empty, field):
        answer = empty.admin.post(REGISTER, {"metadata": make_metadata(**{field: "v1.0"})})
        assert field in message_of(answer, 400)

    def test_a_name_that_is_taken_is_a_conflict(self, site):
        before = site.snapshot()
        for body in (make_metadata(), make_metadata(description="another")):
            message_of(site.admin.post(REGISTER, {"metadata": body}), 409)
        assert site.snapshot() == before

    def test_the_same_again_is_a_conflict_too(self, empty):
        empty.register()
        assert "v1.0" in message_of(empty.admin.post(REGISTER, {"metadata": make_metadata()}), 409)

    def test_a_name_taken_by_somebody_else_tells_nothing_of_their_product(self, site):
        stranger = site.client("manage:owner=eve@example.org")
        body = {"metadata": make_metadata(dataProductOwner="eve@example.org")}
        said = message_of(stranger.post(REGISTER, body), 409)
        assert said == "the name spend is taken; choose another"
        assert stranger.get(HOME).status_code == 403

    def test_of_many_at_once_one_wins(self, empty):
        def call(number: int) -> int:
            metadata = make_metadata(description=f"try {number}")
            return empty.admin.post(REGISTER, {"metadata": metadata}).status_code

        with ThreadPoolExecutor(8) as pool:
            codes = sorted(pool.map(call, range(8)))
        assert codes == [201] + [409] * 7
        assert len(empty.admin.get("/data-product").json()["products"]) == 1

    def test_who_did_it_is_in_the_log(self, empty):
        maker = empty.client("manage:spend", name="carol")
        assert maker.post(REGISTER, {"metadata": make_metadata()}).status_code == 201
        (event,) = (event for event in empty.logged() if event["stage"] == "registered")
        assert (event["actor"], event["product"]) == ("carol", "spend")

    def test_unknown_parts_of_a_body_are_refused(self, empty):
        answer = empty.admin.post(REGISTER, {"metadata": make_metadata(), "more": 1})
        assert "more" in message_of(answer, 400)


class TestListing:
    def test_nothing_is_an_empty_page(self, empty):
        assert empty.admin.get("/data-product").json() == {"products": [], "next": None}

    def test_a_product_is_told_in_short(self, site):
        (found,) = site.admin.get("/data-product").json()["products"]
        found.pop("lastUpdated")
        assert found == {
            "name": "spend", "version": "v1.0", "description": "All about spend", "domain": "finance",
            "status": "published", "owner": "ann@example.org", "ownerDisplayName": "Ann Owner", "tables": [TABLE],
            "files": [], "tags": {},
        }  # fmt: skip

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 1000])
    def test_pages_hold_every_product_once_in_order(self, empty, limit):
        names = ["a", "a_b", "a0", "b", "z", "z_9", "zz"]
        for name in names:
            empty.register(name)
        found = empty.admin.page("/data-product", "products", limit=limit)
        assert [product["name"] for product in found] == sorted(names)

    def test_products_that_come_meanwhile_neither_hide_nor_double_others(self, empty):
        names = [f"p{number}" for number in range(10, 20)]
        for name in names:
            empty.register(name)
        fresh = map("p1{}x".format, itertools.count())
        found = empty.admin.page("/data-product", "products", lambda: empty.register(next(fresh)), limit=3)
        listed = [product["name"] for product in found]
        assert listed == sorted(set(listed))
        assert set(names) <= set(listed)

    def test_products_that_go_meanwhile_hide_no_others(self, empty):
        for number in range(6):
            empty.register(f"p{number}")
        going = iter(["p1", "p5", "p0"])
        found = empty.admin.page(
            "/data-product", "products", lambda: empty.admin.delete(f"/data-product/{next(going, 'p0')}"), limit=2
        )
        assert [product["name"] for product in found] == ["p0", "p1", "p2", "p3", "p4"]

    def test_a_change_shows_at_once(self, site):
        assert site.admin.get("/data-product").json()["products"]
        assert site.admin.put(HOME, {"metadata": {"description": "New words"}}).status_code == 200
        assert site.admin.get("/data-product").json()["products"][0]["description"] == "New words"
        assert site.admin.delete(HOME).status_code == 200
        assert site.admin.get("/data-product").json()["products"] == []

    @pytest.mark.parametrize("search", [
        "spend", "SPEND", "all about", "about all", "Ann", "ann@example", "finance", "payments", "supplier",
        "what was paid", "blue whale", "whale", "  spend  ",
    ])  # fmt: skip
    def test_a_search_finds_words_anywhere(self, site, search):
        site.admin.put(HOME, {"metadata": {"tags": {"animal": "Blue Whale"}}})
        site.register("other", description="Something else", domain="art", dataProductOwner="eve",
                      dataProductOwnerDisplayName="Eve", email="eve@example.org")  # fmt: skip
        found = site.admin.get("/data-product", search=search).json()["products"]
        assert [product["name"] for product in found] == ["spend"]

    @pytest.mark.parametrize("search", ["spendx", "spend other", "%", "*", "' OR 1=1 --", "s.end", "\\"])
    def test_a_search_takes_no_patterns(self, site, search):
        site.register("other")
        assert site.admin.get("/data-product", search=search).json() == {"products": [], "next": None}

    def test_a_search_is_paged(self, empty):
        for number in range(9):
            empty.register(f"p{number}", domain="even" if number % 2 == 0 else "odd")
        found = empty.admin.page("/data-product", "products", limit=2, search="even")
        assert [product["name"] for product in found] == ["p0", "p2", "p4", "p6", "p8"]

    @pytest.mark.parametrize("params", [
        {"limit": 0}, {"limit": -1}, {"limit": 1001}, {"limit": "x"}, {"limit": "1e3"}, {"after": "x" * 257},
        {"search": "x" * 257},
    ])  # fmt: skip
    def test_wrong_parameters_are_named(self, still, params):
        assert next(iter(params)) in message_of(still.admin.get("/data-product", **params), 400)


class TestAmending:
    def test_is_a_minor_version(self, site):
        answer = site.admin.put(HOME, {"metadata": {"description": "New words"}})
        assert (answer.status_code, answer.json()) == (200, {"version": "v1.1"})
        assert site.admin.get(HOME).json()["metadata"]["description"] == "New words"

    @pytest.mark.parametrize(("field", "value"), [
        ("description", "x"), ("email", "new@example.org"), ("dataProductOwner", "eve"),
        ("dataProductOwnerDisplayName", "Eve"), ("dataProductMaintainer", "max"),
        ("dataProductMaintainerDisplayName", "Max"), ("domain", "art"), ("status", "retired"), ("dpiaRequired", True),
        ("retentionPeriod", 7), ("tags", {"a": "b"}),
    ])  # fmt: skip
    def test_every_field_that_may_change_does(self, site, field, value):
        assert field in AMENDABLE
        assert site.admin.put(HOME, {"metadata": {field: value}}).json() == {"version": "v1.1"}
        assert site.admin.get(HOME).json()["metadata"][field] == value

    @pytest.mark.parametrize(
        ("field", "value"), [("name", "other"), ("dpiaLocation", "x"), ("tables", {}), ("files", {})]
    )
    def test_any_other_field_is_refused_by_name(self, still, field, value):
        before = still.snapshot()
        answer = still.admin.put(HOME, {"metadata": {field: value, "description": "x"}})
        assert field in message_of(answer, 400)
        assert still.snapshot() == before

    @pytest.mark.parametrize("metadata", [
        {"colour": "red"}, {"email": "x"}, {"retentionPeriod": 0}, {"description": None}, {"version": "v9.0"}, {},
        {"description": "Everything that was paid"}, {"tags": {"a": 1}}, {"status": ["published"]}, {"domain": " "},
    ])  # fmt: skip
    def test_wrong_values_change_nothing(self, still, metadata):
        before = still.snapshot()
        message_of(still.admin.put(HOME, {"metadata": metadata}), 400)
        assert still.snapshot() == before

    def test_values_that_stay_may_be_given_too(self, site):
        metadata = make_metadata(domain="art")
        assert site.admin.put(HOME, {"metadata": metadata}).json() == {"version": "v1.1"}

    def test_an_unknown_product_is_not_found(self, empty):
        message_of(empty.admin.put(HOME, {"metadata": {"domain": "art"}}), 404)

    def test_the_loser_of_a_race_learns_which_version_won(self, site):
        registry = site.lake.registry
        replaced = type(registry).replace_head

        def late(self, head, amended):
            found = registry.read("spend")
            product = amend_metadata(found.registered.product, {"domain": "won"})
            registered = replace(
                found.registered, product=product, version=parse_version("v1.1"), change=Change("x", "eve")
            )
            replaced(registry, found, registered)
            return replaced(self, head, amended)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(registry), "replace_head", late)
            answer = site.admin.put(HOME, {"metadata": {"domain": "lost"}})
        assert "v1.1" in message_of(answer, 409)
        assert answer.json()["error"]["version"] == "v1.1"
        assert site.admin.get(HOME).json()["metadata"]["domain"] == "won"

    def test_no_change_is_lost_among_many_at_once(self, site):
        def tag(number: int) -> tuple[int, str]:
            answer = site.admin.put(HOME, {"metadata": {"tags": {f"t{number}": "x"}}})
            return answer.status_code, json.dumps(answer.json())

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(tag, range(12)))
        won = [json.loads(text)["version"] for code, text in answers if code == 200]
        lost = [json.loads(text)["error"]["version"] for code, text in answers if code == 409]
        assert len(won) + len(lost) == 12
        assert sorted(won) == sorted({f"v1.{number}" for number in range(1, len(won) + 1)})
        assert set(lost) <= set(won)
        assert site.admin.get(HOME).json()["version"] == f"v1.{len(won)}"


class TestVersions:
    def test_the_newest_comes_first_with_who_and_what(self, site):
        ann = site.client("manage:spend", name="ann")
        ann.put(HOME, {"metadata": {"domain": "art"}})
        ann.put(f"{PAYMENTS}/schema", {"schema": make_schema(("supplier", "string"))})
        found = site.admin.get(VERSIONS).json()
        told = [(one["version"], one["actor"], one["action"]) for one in found["versions"]]
        assert told == [
            ("v2.0", "ann", "schema changed"), ("v1.1", "ann", "metadata changed"), ("v1.0", "root", "table added"),
        ]  # fmt: skip
        assert found["next"] is None
        assert found["versions"][1]["changes"] == {"metadata": ["domain"]}
        assert found["versions"][0]["changes"][TABLE]["columns"]["removed_columns"] == ["amount"]

    @pytest.mark.parametrize("limit", [1, 3, 12, 13])
    def test_pages_hold_every_version_once_by_number(self, site, limit):
        for number in range(11):
            site.admin.put(HOME, {"metadata": {"domain": f"d{number}"}})
        found = site.admin.page(VERSIONS, "versions", limit=limit)
        assert [one["version"] for one in found] == [f"v1.{number}" for number in range(11, -1, -1)]

    def test_versions_that_come_meanwhile_do_not_disturb(self, site):
        for number in range(5):
            site.admin.put(HOME, {"metadata": {"domain": f"d{number}"}})
        fresh = itertools.count(100)
        found = site.admin.page(
            VERSIONS, "versions", lambda: site.admin.put(HOME, {"metadata": {"domain": f"d{next(fresh)}"}}), limit=2
        )
        assert [one["version"] for one in found] == [f"v1.{number}" for number in range(5, -1, -1)]

    def test_v10_comes_behind_v9(self, site):
        schemas = itertools.cycle([make_schema(("supplier", "string")), make_schema(("supplier", "varchar(99)"))])
        for _ in range(10):
            site.admin.put(f"{PAYMENTS}/schema", {"schema": next(schemas)})
        found = site.admin.page(VERSIONS, "versions", limit=4)
        assert [one["version"] for one in found] == [f"v{number}.0" for number in range(11, 0, -1)]
        databases = site.admin.get(HOME).json()["databases"]
        assert [database["name"] for database in databases] == [f"spend_v{number}" for number in range(1, 12)]
        assert [database["current"] for database in databases] == [False] * 10 + [True]

    def test_a_version_is_told_as_it_was_made(self, site):
        before = site.admin.get(f"{VERSIONS}/v1.0").json()
        site.admin.put(HOME, {"metadata": {"domain": "art"}})
        assert site.admin.get(f"{VERSIONS}/v1.0").json() == before
        assert before["spec"]["domain"] == "finance"
        assert before["spec"]["tables"] == {TABLE: make_schema()}
        assert site.admin.get(f"{VERSIONS}/v1.1").json()["spec"]["domain"] == "art"

    @pytest.mark.parametrize("version", ["v1.9", "v2.0", "v999999.999999"])
    def test_an_unknown_version_is_not_found(self, still, version):
        assert version in message_of(still.admin.get(f"{VERSIONS}/{version}"), 404)

    @pytest.mark.parametrize(
        "version", ["1.0", "v1", "v01.0", "v1.0.0", "v0.1", "latest", "v1.00", "V1.0", "v1000000.0"]
    )
    def test_what_is_no_version_is_refused(self, still, version):
        message_of(still.admin.get(f"{VERSIONS}/{version}"), 400)
        message_of(still.admin.get(VERSIONS, after=version), 400)

    def test_an_unknown_product_has_none(self, empty):
        for path in (VERSIONS, f"{VERSIONS}/v1.0", f"{VERSIONS}/compare?from=v1.0&to=v1.1"):
            message_of(empty.admin.get(path), 404)


class TestComparing:
    def compare(self, site, older: str, newer: str) -> dict:
        return site.admin.get(f"{VERSIONS}/compare", **{"from": older, "to": newer}).json()

    def test_metadata_is_told_with_both_values(self, site):
        site.admin.put(HOME, {"metadata": {"domain": "art", "tags": {"a": "b"}}})
        assert self.compare(site, "v1.0", "v1.1") == {
            "metadata": {"domain": {"from": "finance", "to": "art"}, "tags": {"from": None, "to": {"a": "b"}}},
            "tables_added": [], "tables_removed": [], "tables_changed": {}, "files": [],
        }  # fmt: skip

    def test_tables_are_told_by_name_and_column(self, site):
        site.add_table(table="refunds")
        schema = make_schema(("supplier", "varchar(9)"), ("paid_on", "date"), described="Else")
        site.admin.put(f"{PAYMENTS}/schema", {"schema": schema})
        found = self.compare(site, "v1.0", "v2.0")
        assert (found["tables_added"], found["tables_removed"], found["metadata"]) == (["refunds"], [], {})
        assert found["tables_changed"] == {TABLE: {
            "columns": {
                "removed_columns": ["amount"], "added_columns": ["paid_on"], "types_changed": ["supplier"],
                "descriptions_changed": None, "rules_changed": None,
            },
            "non_column_fields": ["tableDescription"],
        }}  # fmt: skip

    def test_backwards_tells_the_opposite(self, site):
        site.add_table(table="refunds")
        assert self.compare(site, "v1.1", "v1.0")["tables_removed"] == ["refunds"]

    def test_a_version_and_itself_do_not_differ(self, still):
        found = self.compare(still, "v1.0", "v1.0")
        assert not any(found.values())

    @pytest.mark.parametrize(("params", "status"), [
        ({"from": "v1.0", "to": "v1.7"}, 404), ({"from": "v3.0", "to": "v1.0"}, 404), ({"from": "v1.0"}, 400),
        ({"from": "v1.0", "to": "x"}, 400), ({}, 400),
    ])  # fmt: skip
    def test_what_is_not_there_is_refused(self, site, params, status):
        message_of(site.admin.get(f"{VERSIONS}/compare", **params), status)


class TestDeleting:
    def test_leaves_nothing_but_the_log(self, site):
        untouched = {name for name in site.snapshot() if "spend" not in name}
        site.take()
        site.take(BAD)
        site.admin.post(f"{PAYMENTS}/upload", {"filename": "x.csv", "contentMD5": "XrY7u+Ae7tCTyyK7j1rNww=="})
        answer = site.admin.delete(HOME)
        assert (answer.status_code, answer.json()) == (200, {"message": "spend deleted from the data platform"})
        assert site.snapshot().keys() == untouched
        assert any(event["stage"] == "deleted" for event in site.logged())

    def test_what_is_not_there_is_not_found(self, empty):
        message_of(empty.admin.delete(HOME), 404)

    def test_the_name_can_be_used_again(self, site):
        site.take()
        site.admin.delete(HOME)
        site.register(description="Once more")
        site.add_table()
        assert site.admin.get(f"{PAYMENTS}/preview").text == "No data to display"
        assert site.admin.get(f"{PAYMENTS}/loads").json() == {"loads": [], "next": None}
        assert [one["version"] for one in site.admin.get(VERSIONS).json()["versions"]] == ["v1.0"]

    def test_another_product_stays(self, site):
        site.register("spend_more")
        site.add_table(product="spend_more")
        site.take(product="spend_more")
        site.admin.delete(HOME)
        assert "Lantern" in site.admin.get("/data-product/spend_more/table/payments/preview").text

    def test_an_owner_can_go_on_with_a_deletion_that_was_cut_short(self, site):
        head = site.lake.registry.read("spend")
        site.lake.registry.replace_head(head, replace(head.registered, deleting=True))
        owner = site.client("manage:owner=ann@example.org")
        message_of(owner.get(HOME), 404)
        assert owner.delete(HOME).status_code == 200
        assert not any("spend" in name for name in site.snapshot())


class TestLegalHold:
    def test_keeps_everything_from_being_deleted(self, site):
        site.take()
        answer = site.admin.put(f"{HOME}/legal-hold", {"reason": "Inquiry 2026/17"})
        assert (answer.status_code, answer.json()) == (200, {"message": "spend is under legal hold"})
        before = site.snapshot()
        for path in (HOME, PAYMENTS):
            assert "Inquiry 2026/17" in message_of(site.admin.delete(path), 409)
        assert site.snapshot() == before

    def test_is_told_with_who_and_since_when(self, site):
        site.client("manage:spend", name="carol").put(f"{HOME}/legal-hold", {"reason": "why"})
        hold = site.admin.get(HOME).json()["legalHold"]
        assert datetime.fromisoformat(hold.pop("since")) <= datetime.now(UTC)
        assert hold == {"reason": "why", "actor": "carol"}

    def test_can_be_lifted(self, site):
        site.admin.put(f"{HOME}/legal-hold", {"reason": "why"})
        answer = site.admin.delete(f"{HOME}/legal-hold")
        assert (answer.status_code, answer.json()) == (200, {"message": "spend is under no legal hold"})
        assert site.admin.get(HOME).json()["legalHold"] is None
        assert site.admin.delete(HOME).status_code == 200

    def test_makes_no_version(self, site):
        site.admin.put(f"{HOME}/legal-hold", {"reason": "why"})
        assert site.admin.get(HOME).json()["version"] == "v1.0"

    def test_is_not_in_the_record_of_a_version(self, site):
        site.admin.put(f"{HOME}/legal-hold", {"reason": "secret why"})
        site.admin.put(HOME, {"metadata": {"domain": "art"}})
        assert "secret why" not in site.admin.get(f"{VERSIONS}/v1.1").text

    @pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 1001}, {"reason": 1}, {"reason": None}])
    def test_needs_a_reason(self, still, body):
        assert "reason" in message_of(still.admin.put(f"{HOME}/legal-hold", body), 400)

    def test_of_an_unknown_product(self, empty):
        message_of(empty.admin.put(f"{HOME}/legal-hold", {"reason": "why"}), 404)
        message_of(empty.admin.delete(f"{HOME}/legal-hold"), 404)
