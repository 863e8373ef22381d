"""What Lambda calls: each event becomes a call of the core, and each trouble a retry with the load in its words."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import EngineFailed, InvalidName, StoreUnavailable
from daap.model.keys import check_key, file_key
from daap.model.loads import LoadId, LoadStatus, TableRef
from daap.testing.memory_store import MemoryStore
from daap_cloud import handlers, upkeep
from daap_cloud.handlers import HandlerFailed, athena_load, landing_to_raw
from daap_cloud.upkeep import Request, read_request, run_reload, run_sweep
from tests.support.lakes import BAD, TABLE, Bench, make_csv, make_product, open_memory

STAMP = "20260131T235959Z"
LOAD = LoadId(TableRef("shop", 1, TABLE), STAMP)
NAME = "7c1c62a1-6c1b-4f0e-9a52-6d5c0e1e9a3b"
KEY = file_key("landing", LOAD, NAME)


class BucketStore(MemoryStore):
    """A store that knows its keys by bucket and name, a bucket a zone."""

    def key_of(self, bucket: str, name: str) -> str:
        return check_key(f"{bucket}/{name}")


@pytest.fixture
def bench(tmp_path, engine, monkeypatch) -> Bench:
    bench = open_memory(tmp_path / "lake", engine)
    bench = replace(bench, lake=replace(bench.lake, store=BucketStore()))
    bench.register()
    use_lake(bench, monkeypatch)
    return bench


def use_lake(bench: Bench, monkeypatch, *, quoted: bool = False) -> None:
    lake = bench.lake
    engine = SimpleNamespace(athena=SimpleNamespace(tidy=lambda: 0))
    settings = SimpleNamespace(quoted_events=quoted)
    deployed = SimpleNamespace(store=lake.store, lake=lake, registry=lake.registry, engine=engine, settings=settings)
    monkeypatch.setattr(handlers, "deployment", lambda: deployed)


def event_of(key: str, requester: str = "123456789012") -> dict:
    bucket, _, name = key.partition("/")
    return {"detail": {"bucket": {"name": bucket}, "object": {"key": name}, "requester": requester}}


class TestFiles:
    def test_a_file_goes_from_landing_to_raw_to_curated(self, bench):
        bench.lake.store.put(KEY, make_csv())
        assert landing_to_raw(event_of(KEY), None) == {"key": KEY, "outcome": "archived", "load": str(LOAD)}
        (raw,) = bench.keys("raw/")
        assert athena_load(event_of(raw), None) == {"key": raw, "outcome": "curated", "load": str(LOAD)}
        (receipt,) = bench.receipts()
        assert (receipt.status, receipt.actor) == (LoadStatus.CURATED, "123456789012")

    def test_an_emulators_percent_signs_are_no_part_of_a_name(self, bench, monkeypatch):
        bench.lake.store.put(KEY, make_csv())
        assert landing_to_raw(event_of(quote(KEY)), None)["outcome"] == "out_of_place"
        use_lake(bench, monkeypatch, quoted=True)
        assert landing_to_raw(event_of(quote(KEY)), None) == {"key": KEY, "outcome": "archived", "load": str(LOAD)}

    def test_answers_are_json(self, bench):
        bench.lake.store.put(KEY, BAD)
        assert json.loads(json.dumps(landing_to_raw(event_of(KEY), None)))["outcome"] == "failed"

    def test_an_event_that_comes_again_is_nothing(self, bench):
        bench.lake.store.put(KEY, make_csv())
        landing_to_raw(event_of(KEY), None)
        athena_load(event_of(KEY.replace("landing", "raw", 1)), None)
        for _ in range(10):
            assert landing_to_raw(event_of(KEY), None)["outcome"] == "nothing_to_do"
            assert athena_load(event_of(KEY.replace("landing", "raw", 1)), None)["outcome"] == "nothing_to_do"
        assert len(bench.snapshots()) == 1

    @pytest.mark.parametrize("handler", [landing_to_raw, athena_load])
    @pytest.mark.parametrize("event", [
        {}, {"detail": {}}, event_of("landing/somewhere.csv"), event_of("landing/shop/orders/folder/"),
        event_of("elsewhere/shop/orders/a.csv"), event_of("landing/shop/../orders/a.csv"),
    ])  # fmt: skip
    def test_what_lies_out_of_place_stays_there_and_is_told_of(self, bench, handler, event, capsys):
        assert handler(event, None)["outcome"] == "out_of_place"
        (told,) = bench.events()
        assert (told["stage"], told["level"]) == ("out_of_place", "warning")
        assert json.loads(capsys.readouterr().out)["stage"] == "out_of_place"

    def test_trouble_is_a_retry_that_names_the_load(self, bench, monkeypatch):
        class Failing(DuckDBEngine):
            def check(self, *_args, **_options):
                raise EngineFailed("not enough memory while checking")

            stage = None

        bench.lake.store.put(KEY, make_csv())
        use_lake(replace(bench, lake=replace(bench.lake, engine=_unstaged(Failing()))), monkeypatch)
        with pytest.raises(HandlerFailed, match=rf"^load {LOAD}: EngineFailed: not enough memory") as caught:
            landing_to_raw(event_of(KEY), None)
        assert caught.value.__cause__ is None
        use_lake(bench, monkeypatch)
        landing_to_raw(event_of(KEY), None)
        assert athena_load(event_of(KEY.replace("landing", "raw", 1)), None)["outcome"] == "curated"

    @pytest.mark.usefixtures("bench")
    def test_trouble_with_a_dropped_file_names_its_place(self, monkeypatch):
        monkeypatch.setattr(BucketStore, "stat", _raise_unavailable)
        with pytest.raises(HandlerFailed, match=r"^landing/shop/orders/a\.csv: StoreUnavailable"):
            landing_to_raw(event_of("landing/shop/orders/a.csv"), None)


def _unstaged(engine: DuckDBEngine) -> SimpleNamespace:
    """The engine as one that cannot check and convert at once."""
    return SimpleNamespace(name="duckdb", version="0", check=engine.check)


def _raise_unavailable(*_args: object) -> None:
    raise StoreUnavailable("cannot read: SlowDown")


class TestRequests:
    def test_an_event_of_a_schedule_is_about_all(self):
        assert read_request({"time": "2026-01-31T00:00:00Z", "source": "aws.events"}) == Request()

    def test_an_event_may_name_a_product_a_table_and_who_asks(self):
        event = {"work": "reload", "product": "spend", "actor": "ann", "table": "march", "after": None}
        assert read_request(event) == Request("spend", "march", None, "ann")

    @pytest.mark.parametrize("event", [{"product": "../x"}, {"product": 7}, {"table": "a b"}, {"after": []}])
    def test_names_that_are_none_are_refused(self, event):
        with pytest.raises(InvalidName):
            read_request(event)


class Hours:
    """Time for so many loads."""

    def __init__(self, loads: int) -> None:
        self.left = loads

    def __call__(self) -> bool:
        self.left -= 1
        return self.left > 0


def go_on(work, request: Request, loads: int) -> tuple[list[str], list[str], int]:
    """Does long work in pieces, each of so many loads; returns what was done and failed, and in how many pieces."""
    done, failed = [], []
    for piece in range(1, 50):
        progress = work(request, Hours(loads))
        done, failed = [*done, *progress.done], [*failed, *progress.failed]
        if progress.after is None:
            return done, failed, piece
        request = replace(request, after=progress.after)
    raise AssertionError("no end")


class TestLongWork:
    @pytest.fixture
    def filled(self, bench) -> Bench:
        for n in range(5):
            bench.load(f"2026013{n % 2}T00000{n}Z", make_csv(n * 10), TABLE if n % 2 else "sales")
        return bench

    @pytest.mark.parametrize("loads", [1, 2, 3, 100])
    def test_a_reload_goes_on_where_time_ran_out(self, filled, loads):
        done, failed, pieces = go_on(
            lambda request, hours: run_reload(filled.lake, request, hours), Request("shop", actor="ann"), loads
        )
        assert failed == []
        assert len(done) == len(set(done)) == 5
        assert pieces == (1 if loads > 5 else 5 // loads + 1)
        assert all(receipt.rebuilt for receipt in filled.receipts())

    def test_a_reload_is_of_one_product(self, filled):
        with pytest.raises(InvalidName, match="name it"):
            run_reload(filled.lake, Request(), Hours(1))

    @pytest.mark.parametrize("loads", [1, 2, 100])
    def test_retention_of_all_goes_on_where_time_ran_out(self, filled, loads):
        filled.register(make_product("attic"))
        filled.load("20250101T000000Z", make_csv(), product="attic")
        done, failed, _ = go_on(
            lambda request, hours: run_sweep("retention", filled.lake, request, hours), Request(), loads
        )
        assert failed == []
        assert len(done) == 6
        assert {receipt.status for receipt in filled.receipts()} == {LoadStatus.EXPIRED}

    def test_a_resync_of_all_finds_what_no_event_came_for(self, filled):
        filled.lake.store.put(KEY.replace("landing", "raw", 1), make_csv(100))
        progress = run_sweep("resync", filled.lake, Request(), Hours(100))
        assert progress.done == (f"unrecorded {LOAD}",)
        assert STAMP in filled.snapshots()

    @pytest.mark.parametrize("loads", [1, 100])
    @pytest.mark.parametrize("product", [None, "shop"])
    def test_what_cannot_be_mended_is_told_and_does_not_go_round_for_ever(self, filled, loads, product):
        filled.register(make_product("attic"))
        filled.lake.store.put(KEY.replace("landing", "raw", 1), BAD)
        done, failed, _ = go_on(
            lambda request, hours: run_sweep("resync", filled.lake, request, hours), Request(product), loads
        )
        assert (done, len(failed)) == ([], 1)

    @pytest.mark.parametrize("product", [None, "shop"])
    def test_time_runs_out_where_nothing_is_found_too(self, filled, product):
        filled.register(make_product("attic"))
        done, failed, pieces = go_on(
            lambda request, hours: run_sweep("resync", filled.lake, request, hours), Request(product), 1
        )
        assert (done, failed) == ([], [])
        assert pieces == (2 if product else 3)

    def test_a_product_that_is_hindered_does_not_keep_the_others(self, filled, monkeypatch):
        filled.register(make_product("attic"))

        def fail_first(_lake, product, _actor):
            if product == "attic":
                raise StoreUnavailable("not now")
            yield "all", None

        monkeypatch.setitem(upkeep._SWEEPS, "resync", fail_first)
        progress = run_sweep("resync", filled.lake, Request(), Hours(100))
        assert (progress.done, progress.failed) == (("all",), ("attic: not now",))

    @pytest.mark.usefixtures("filled")
    def test_the_handler_calls_itself_to_go_on(self):
        calls = []
        deployed = handlers.deployment()
        deployed.clients = SimpleNamespace(functions=SimpleNamespace(invoke=lambda **call: calls.append(call)))
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: 1000, function_name="daap-reload")
        event = {"work": "reload", "product": "shop", "actor": "ann", "table": None, "after": None}
        answer = handlers.reload(event, context)
        (call,) = calls
        assert (call["FunctionName"], call["InvocationType"]) == ("daap-reload", "Event")
        assert json.loads(call["Payload"]) == {**event, "after": answer["after"]}
        assert answer["done"] == 1
