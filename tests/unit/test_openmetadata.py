"""OpenMetadata as a catalogue: what it is sent, over real HTTP, and what is done when it will not take that."""

from __future__ import annotations

import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import stamina
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse

from daap.model.product import Product
from daap.model.versions import FIRST, Version
from daap.ports.publisher import Publication, PublishedDatabase, PublishFailed
from daap.publishers.openmetadata.client import OpenMetadataClient
from daap.publishers.openmetadata.names import MAX_NAME, join_names, make_name
from daap.publishers.openmetadata.publisher import OpenMetadataPublisher
from daap.registry.spec import build_product
from tests.support.openmetadata import SERVICES, TOKEN, OpenMetadata, running_openmetadata

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / ".venv-openmetadata" / "bin" / "python"
NOW = datetime(2026, 1, 31, tzinfo=UTC)
TYPES = ("boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal(18,2)", "string",
         "varchar(20)", "char(3)", "date", "timestamp")  # fmt: skip


@pytest.fixture
def service():
    with running_openmetadata() as service:
        yield service


def make_spec(**changed) -> Product:
    columns = [{"name": f"c{place}", "type": type_} for place, type_ in enumerate(TYPES)]
    columns[0] |= {"required": True, "description": "whether"}
    columns[8] |= {"personal": True}
    return build_product({
        "name": "shop", "description": "What is **sold**", "domain": "Trade", "dataProductOwner": "ann@example.org",
        "dataProductOwnerDisplayName": "Ann", "email": "ann@example.org", "status": "published", "dpiaRequired": True,
        "retentionPeriod": 30, "tags": {"tier": "v1.0", "open": ""},
        "tables": {name: {"tableDescription": f"the {name}", "columns": columns} for name in ("orders", "returns")},
        "files": {"papers": {"description": "scans"}}, **changed,
    })  # fmt: skip


def publish(product: Product, *earlier: tuple[Version, tuple[str, ...]], version=FIRST) -> Publication:
    databases = [
        PublishedDatabase(f"shop_v{old.major}", old, False, dict.fromkeys(tables, product.tables["orders"]))
        for old, tables in earlier
    ]
    current = PublishedDatabase(f"shop_v{version.major}", version, True, product.tables)
    return Publication(product, version, NOW, NOW, (*databases, current))


def make_publisher(service: OpenMetadata, *, token=TOKEN, timeout=0.5, attempts=4, **more) -> OpenMetadataPublisher:
    return OpenMetadataPublisher(
        lambda: OpenMetadataClient(
            service.url, lambda: token, timeout=httpx.Timeout(timeout), attempts=attempts,
            patience=timedelta(seconds=5), **more,
        )
    )  # fmt: skip


@pytest.fixture
def publisher(service) -> OpenMetadataPublisher:
    return make_publisher(service)


@pytest.fixture
def quick():
    """Waits between tries take no time."""
    with stamina.set_testing(True, attempts=4):
        yield


def table(service, name="orders", major=1):
    return service.held["tables"][f"daap.shop.shop_v{major}.{name}"]


class TestPublishing:
    def test_everything_is_there(self, service, publisher):
        publisher.publish(publish(make_spec()))
        assert service.names(SERVICES) == ["daap"]
        assert service.names("databases") == ["daap.shop"]
        assert service.names("databaseSchemas") == ["daap.shop.shop_v1"]
        assert service.names("tables") == ["daap.shop.shop_v1.orders", "daap.shop.shop_v1.returns"]
        assert service.names("tags") == ['daap."tier: v1.0"', "daap.open"]
        assert service.held["dataProducts"]["shop"]["description"].startswith("What is **sold**\n\n- Version: v1.0\n")

    def test_columns_are_as_they_are_registered(self, service, publisher):
        publisher.publish(publish(make_spec()))
        columns = table(service)["columns"]
        assert [column["dataTypeDisplay"] for column in columns] == [*TYPES, "string"]
        assert [column["dataType"] for column in columns[:5]] == ["BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT"]
        assert (columns[7]["precision"], columns[7]["scale"]) == (18, 2)
        assert [columns[place]["dataLength"] for place in (9, 10)] == [20, 3]
        assert (columns[0]["constraint"], columns[1]["constraint"]) == ("NOT_NULL", "NULL")
        assert [one["tagFQN"] for one in columns[8]["tags"]] == ["PII.Sensitive"]
        assert columns[-1]["name"] == "load_timestamp"
        assert table(service)["retentionPeriod"] == "P30D"

    def test_domain_tags_and_product_are_on_each_thing(self, service, publisher):
        publisher.publish(publish(make_spec()))
        for kind in ("databases", "databaseSchemas", "tables"):
            for entity in service.held[kind].values():
                assert [one["name"] for one in entity["domains"]] == ["Trade"]
                assert [one["name"] for one in entity["dataProducts"]] == ["shop"]
                assert {one["tagFQN"] for one in entity["tags"]} == {"daap.open", 'daap."tier: v1.0"'}

    def test_the_same_again_changes_nothing(self, service, publisher):
        publisher.publish(publish(make_spec()))
        before = json.dumps(service.held, sort_keys=True)
        publisher.publish(publish(make_spec()))
        assert json.dumps(service.held, sort_keys=True) == before

    def test_an_owner_that_is_known_is_set(self, service, publisher):
        ann = service.hold("users", "ann", email="Ann@example.org")
        publisher.publish(publish(make_spec()))
        assert table(service)["owners"] == [{"id": ann["id"], "type": "user"}]

    def test_another_of_the_same_name_is_no_owner(self, service, publisher):
        service.hold("users", "ann", email="ann@elsewhere.org")
        publisher.publish(publish(make_spec()))
        assert table(service)["owners"] == []

    def test_a_team_may_own(self, service, publisher):
        team = service.hold("teams", "Traders")
        publisher.publish(publish(make_spec(dataProductOwner="Traders")))
        assert table(service)["owners"] == [{"id": team["id"], "type": "team"}]

    def test_what_people_have_made_of_a_domain_stays(self, service, publisher):
        service.hold("domains", "Trade", domainType="Aggregate", description="ours")
        publisher.publish(publish(make_spec()))
        assert service.held["domains"]["Trade"]["domainType"] == "Aggregate"

    def test_names_with_dots_are_quoted(self, service, publisher):
        publisher.publish(publish(make_spec(domain="Trade 2.0")))
        assert service.names("domains") == ['"Trade 2.0"']
        assert table(service)["domains"][0]["name"] == "Trade 2.0"


class TestChanges:
    def test_descriptions_owners_domain_and_tags_follow(self, service, publisher):
        service.hold("users", "ann", email="ann@example.org")
        ben = service.hold("users", "ben", email="ben@example.org")
        publisher.publish(publish(make_spec()))
        changed = make_spec(
            description="New words", dataProductOwner="ben@example.org", domain="Sales", tags={"open": ""},
            retentionPeriod=9,
        )  # fmt: skip
        publisher.publish(publish(changed, version=Version(1, 1)))
        for entity in (service.held["databases"]["daap.shop"], table(service)):
            assert entity["owners"] == [{"id": ben["id"], "type": "user"}]
            assert [one["id"] for one in entity["domains"]] == [service.held["domains"]["Sales"]["id"]]
            assert [one["tagFQN"] for one in entity["tags"]] == ["daap.open"]
            assert entity["retentionPeriod"] == "P9D"
        assert service.held["databases"]["daap.shop"]["description"].startswith("New words\n\n- Version: v1.1")

    def test_tags_of_others_stay(self, service, publisher):
        publisher.publish(publish(make_spec()))
        service.hold("tags", "Tier.Gold")
        table(service)["tags"].append({"tagFQN": "Tier.Gold", "source": "Classification"})
        publisher.publish(publish(make_spec(tags={})))
        assert [one["tagFQN"] for one in table(service)["tags"]] == ["Tier.Gold"]

    def test_a_description_of_a_column_follows(self, service, publisher):
        publisher.publish(publish(make_spec()))
        spec = make_spec().dump()
        spec["tables"]["orders"]["columns"][0]["description"] = "whether or not"
        publisher.publish(publish(build_product(spec)))
        assert table(service)["columns"][0]["description"] == "whether or not"
        assert table(service, "returns")["columns"][0]["description"] == "whether"

    def test_removed_tables_go_and_earlier_majors_stay(self, service, publisher):
        publisher.publish(publish(make_spec()))
        spec = make_spec().dump()
        del spec["tables"]["returns"]
        publisher.publish(publish(build_product(spec), (Version(1, 0), ("orders",)), version=Version(2, 0)))
        assert service.names("tables") == ["daap.shop.shop_v1.orders", "daap.shop.shop_v2.orders"]

    def test_majors_that_are_no_more_go(self, service, publisher):
        for major in (1, 2, 3):
            publisher.publish(publish(make_spec(), version=Version(major, 0)))
        assert service.names("databaseSchemas") == ["daap.shop.shop_v3"]


class TestWithdrawing:
    def test_all_of_the_product_goes_and_nothing_else(self, service, publisher):
        service.hold("databases", "daap.shopping")
        publisher.publish(publish(make_spec(), (Version(1, 3), ("orders",)), version=Version(2, 0)))
        publisher.withdraw("shop")
        assert service.names("databases") == ["daap.shopping"]
        assert not service.names("tables")
        assert not service.names("dataProducts")
        assert service.names("domains") == ["Trade"]

    def test_one_that_is_not_there_is_no_error(self, service, publisher):
        publisher.withdraw("shop")
        assert [sent["method"] for sent in service.sent] == ["GET"]


@pytest.mark.usefixtures("quick")
class TestTrouble:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_what_passes_is_tried_again(self, service, publisher, status):
        service.faults = [JSONResponse({"message": "later"}, status, {"Retry-After": "1"})] * 3
        publisher.publish(publish(make_spec()))
        assert service.names("databases") == ["daap.shop"]

    def test_what_does_not_pass_is_told(self, service, publisher):
        service.rubbish = PlainTextResponse("busy", 503)
        with pytest.raises(
            PublishFailed, match=f"^OpenMetadata at {service.url} answered 503; it is tried again later$"
        ):
            publisher.publish(publish(make_spec()))
        assert len(service.sent) == 4

    def test_a_wrong_token_is_told_without_it(self, service):
        with pytest.raises(PublishFailed, match="401: the token is not valid") as raised:
            make_publisher(service, token="a.secret.token").publish(publish(make_spec()))  # noqa: S106
        assert "secret" not in str(raised.value)
        assert len(service.sent) == 1

    @pytest.mark.parametrize("status", [400, 403, 409, 422])
    def test_a_refusal_is_told_at_once_in_its_words(self, service, publisher, status):
        service.faults = [JSONResponse({"message": "no such thing " + "x" * 9999}, status)]
        with pytest.raises(PublishFailed, match=f"{status}.*no such thing") as raised:
            publisher.publish(publish(make_spec()))
        assert len(service.sent) == 1
        assert len(str(raised.value)) < 600

    @pytest.mark.parametrize("answer", [
        HTMLResponse("<html>hello"), JSONResponse([1]), JSONResponse({}), JSONResponse(None), PlainTextResponse(""),
        PlainTextResponse(b"\xff\xfe\x00"), JSONResponse("id"),
    ])  # fmt: skip
    def test_rubbish_is_told(self, service, publisher, answer):
        service.rubbish = answer
        with pytest.raises(PublishFailed, match="is no OpenMetadata; look at DAAP_OPENMETADATA_URL"):
            publisher.publish(publish(make_spec()))

    def test_a_redirect_is_not_followed(self, service, publisher):
        service.rubbish = PlainTextResponse("", 302, {"Location": "https://example.org/login"})
        with pytest.raises(PublishFailed, match="302"):
            publisher.publish(publish(make_spec()))

    def test_one_that_hangs_is_left(self, service):
        service.hang, began = 30.0, time.monotonic()
        with pytest.raises(PublishFailed, match="did not answer in time"):
            make_publisher(service, timeout=0.2).publish(publish(make_spec()))
        assert time.monotonic() - began < 5

    def test_one_that_is_not_there_is_told(self):
        with running_openmetadata() as gone:
            pass
        with pytest.raises(PublishFailed, match="cannot be reached"):
            make_publisher(gone).publish(publish(make_spec()))

    def test_a_token_that_is_no_header_is_told_without_it(self, service):
        with pytest.raises(PublishFailed, match="there is no token") as raised:
            make_publisher(service, token="sécret\n").publish(publish(make_spec()))  # noqa: S106
        assert "cret" not in str(raised.value)


class TestModels:
    """Each request is one that OpenMetadata's own models take."""

    def test_every_request(self, service, publisher):
        service.hold("users", "ann", email="ann@example.org")
        service.hold("teams", "Ben", displayName="Ben")
        publisher.publish(publish(make_spec()))
        wide = make_spec(
            description="<b>'\"\n\n`x` ~ é", domain='Trade "2.0" :: x > y', dataProductOwner="Ben",
            retentionPeriod=36500, tags={"k" * 256: "v" * 500, 'a"b': "c::d", "über": "grün\nblau"},
        )  # fmt: skip
        publisher.publish(publish(wide, (Version(1, 4), ("orders",)), version=Version(2, 1)))
        publisher.withdraw("shop")
        kinds = {(sent["method"], sent["collection"]) for sent in service.sent if sent["method"] in ("PUT", "PATCH")}
        assert len(kinds) >= 11
        assert judge(service.sent) == []

    @pytest.mark.parametrize(("name", "value"), [("nonsense", 1), ("columns", [{"name": "a", "dataType": "INTEGRE"}])])
    def test_what_is_wrong_would_be_found(self, service, publisher, name, value):
        publisher.publish(publish(make_spec()))
        (put, *_) = [one for one in service.sent if (one["method"], one["collection"]) == ("PUT", "tables")]
        (wrong,) = judge([put | {"body": put["body"] | {name: value}}])
        assert name in wrong

    def test_a_field_that_is_none_would_be_found(self):
        assert judge([{"method": "GET", "collection": "tables", "body": None, "fields": "owners,owner"}]) == [
            "GET tables: there is no field owner"
        ]


def judge(sent: list) -> list:
    """What OpenMetadata's models say against requests."""
    assert MODELS.exists(), "make unit makes .venv-openmetadata, which holds OpenMetadata's models"
    asked = subprocess.run(  # noqa: S603 - our own script
        [MODELS, ROOT / "tests" / "openmetadata_models" / "check.py"],
        input=json.dumps(sent), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


class TestNames:
    def test_long_names_differ_where_the_texts_do(self):
        first, second = make_name("x" * 400), make_name("x" * 401)
        assert first != second
        assert max(len(first), len(second)) <= MAX_NAME

    def test_parts_with_dots_are_quoted(self):
        assert join_names("daap", "a.b", "c") == 'daap."a.b".c'
