"""Telling another catalogue of a product: what it is told, what is kept of it, and that nobody waits for it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from daap.model.keys import PUSHES, head_key, push_key
from daap.model.versions import Version
from daap.pipeline.manage import amend_product, create_table
from daap.pipeline.publish import find_behind, is_behind, push_product, read_push
from daap.pipeline.remove import delete_product, remove_table
from daap.pipeline.resync import Mended, resync_catalogue, resync_product
from daap.ports.publisher import CataloguePublisher, Publication, PublishFailed
from daap_cloud import handlers, upkeep
from daap_cloud.handlers import HandlerFailed, push_to_catalogue
from daap_cloud.upkeep import Request
from daap_local.catalogue import CatalogueKeeper, keeping_catalogue, push_briefly
from tests.support.lakes import ID, LAKES, PRODUCT, TABLE, TABLES, Bench, make_product, make_table


class Board(CataloguePublisher):
    """A catalogue in memory, which may be broken."""

    name = "board"

    def __init__(self) -> None:
        self.shown: dict[str, Publication] = {}
        self.told = 0
        self.broken: Exception | None = None
        self.before = lambda: None

    def publish(self, publication: Publication) -> None:
        self._tell()
        self.shown[publication.product.name] = publication

    def withdraw(self, product: str) -> None:
        self._tell()
        self.shown.pop(product, None)

    def _tell(self) -> None:
        self.told += 1
        before, self.before = self.before, lambda: None
        before()
        if self.broken:
            raise self.broken

    def version(self) -> str:
        return str(self.shown[PRODUCT].version)


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture(params=LAKES)
def bench(request, tmp_path, engine, board) -> Bench:
    bench = LAKES[request.param](tmp_path / "lake", engine)
    bench = replace(bench, lake=replace(bench.lake, publisher=board))
    bench.register()
    return bench


def amend(bench: Bench, words: str = "Other words") -> None:
    amend_product(bench.lake, PRODUCT, {"name": PRODUCT, "description": words}, "ann")


def tables(board: Board) -> dict[str, list[str]]:
    return {one.name: sorted(one.tables) for one in board.shown[PRODUCT].databases}


class TestWhatIsShown:
    def test_the_head_as_it_is_now(self, bench, board):
        amend(bench)
        push = push_product(bench.lake, PRODUCT)
        assert (push.state, push.version, push.error, push.tries) == ("published", "v1.1", None, 0)
        assert board.shown[PRODUCT].product.description == "Other words"

    def test_earlier_majors_without_the_tables_that_were_removed(self, bench, board):
        bench.change("id string")
        remove_table(bench.lake, PRODUCT, TABLES[1], "ann")
        create_table(bench.lake, PRODUCT, TABLES[1], make_table(ID), "ann")
        push_product(bench.lake, PRODUCT)
        kept = sorted({TABLES[0], TABLES[2]})
        assert tables(board) == {"shop_v1": kept, "shop_v2": kept, "shop_v3": sorted(TABLES)}
        first = board.shown[PRODUCT].databases[0]
        assert (first.version, first.is_current) == (Version(1, 0), False)
        assert str(first.tables[TABLE].columns[0].type) == "int"

    def test_a_product_that_is_gone_is_withdrawn_without_a_trace(self, bench, board):
        push_product(bench.lake, PRODUCT)
        delete_product(bench.lake, PRODUCT, "ann")
        assert push_product(bench.lake, PRODUCT).state == "withdrawn"
        assert not board.shown
        assert not bench.keys(PUSHES)

    def test_one_that_is_being_deleted_is_shown_no_more(self, bench, board):
        push_product(bench.lake, PRODUCT)
        head = bench.lake.registry.read(PRODUCT)
        bench.lake.registry.replace_head(head, replace(head.registered, deleting=True))
        push_product(bench.lake, PRODUCT)
        assert not board.shown

    def test_a_lake_without_a_catalogue_keeps_nothing(self, bench):
        lake = replace(bench.lake, publisher=None)
        assert push_product(lake, PRODUCT) is None
        assert not is_behind(lake, PRODUCT)
        assert not bench.keys(PUSHES)


class TestOrder:
    def test_the_same_ten_times_is_one_state(self, bench, board):
        pushes = {replace(push_product(bench.lake, PRODUCT), at=None) for _ in range(10)}
        assert len(pushes) == 1
        assert board.version() == "v1.0"

    def test_a_change_while_it_is_told_is_told_too(self, bench, board):
        board.before = lambda: amend(bench)
        assert push_product(bench.lake, PRODUCT).version == "v1.1"
        assert board.version() == "v1.1"

    def test_who_was_slow_does_not_have_the_last_word(self, bench, board):
        def meanwhile() -> None:
            amend(bench)
            push_product(bench.lake, PRODUCT)

        board.before = meanwhile
        push_product(bench.lake, PRODUCT)
        assert board.version() == "v1.1"
        assert read_push(bench.lake.store, PRODUCT).version == "v1.1"

    def test_a_deletion_while_it_is_told(self, bench, board):
        board.before = lambda: delete_product(bench.lake, PRODUCT, "ann")
        assert push_product(bench.lake, PRODUCT).state == "withdrawn"
        assert not board.shown

    def test_a_product_that_came_again(self, bench, board):
        push_product(bench.lake, PRODUCT)
        delete_product(bench.lake, PRODUCT, "ann")
        bench.register(make_product(tables=(TABLE,)))
        push_product(bench.lake, PRODUCT)
        assert tables(board) == {"shop_v1": [TABLE]}
        assert not is_behind(bench.lake, PRODUCT)

    def test_many_at_once_end_with_the_newest(self, bench, board):
        threads = [threading.Thread(target=push_product, args=(bench.lake, PRODUCT)) for _ in range(4)]
        for place, thread in enumerate(threads):
            thread.start()
            amend(bench, f"words {place}")
        for thread in threads:
            thread.join()
        push_product(bench.lake, PRODUCT)
        assert board.version() == read_push(bench.lake.store, PRODUCT).version == "v1.4"

    def test_a_late_failure_of_an_old_version_is_not_kept(self, bench, board):
        def meanwhile() -> None:
            amend(bench)
            push_product(bench.lake, PRODUCT)
            board.broken = PublishFailed("down")

        board.before = meanwhile
        push_product(bench.lake, PRODUCT)
        found = read_push(bench.lake.store, PRODUCT)
        assert (found.version, found.state) == ("v1.1", "failed")


class TestFailures:
    @pytest.mark.parametrize("wrong", [PublishFailed("down"), ValueError("rubbish"), RecursionError(), OSError(5, "x")])
    def test_whatever_is_wrong_is_a_state(self, bench, board, wrong):
        board.broken = wrong
        push = push_product(bench.lake, PRODUCT)
        assert push.state == "failed"
        assert str(wrong) in push.error
        assert read_push(bench.lake.store, PRODUCT) == push

    def test_tries_are_counted_until_it_succeeds(self, bench, board):
        board.broken = PublishFailed("down")
        assert [push_product(bench.lake, PRODUCT).tries for _ in range(3)] == [1, 2, 3]
        board.broken = None
        assert push_product(bench.lake, PRODUCT).tries == 0

    def test_the_audit_log_tells(self, bench, board):
        board.broken = PublishFailed("down")
        push_product(bench.lake, PRODUCT)
        (event,) = [event for event in bench.events() if event["stage"] == "catalogue"]
        assert (event["level"], event["message"], event["publisher"]) == ("warning", "shop v1.0: down", "board")


class TestResync:
    def test_one_that_nobody_told_of(self, bench, board):
        assert list(resync_product(bench.lake, PRODUCT, "ann")) == [Mended("catalogue", PRODUCT)]
        assert list(resync_product(bench.lake, PRODUCT, "ann")) == []
        assert board.told == 1

    def test_one_that_failed_and_one_that_is_behind(self, bench, board):
        board.broken = PublishFailed("down")
        assert list(resync_product(bench.lake, PRODUCT, "ann")) == [Mended("catalogue", PRODUCT, "down")]
        board.broken = None
        assert list(resync_catalogue(bench.lake)) == [Mended("catalogue", PRODUCT)]
        amend(bench)
        assert list(find_behind(bench.lake)) == [PRODUCT]
        assert list(resync_catalogue(bench.lake, only_gone=True)) == []
        assert list(resync_catalogue(bench.lake)) == [Mended("catalogue", PRODUCT)]

    def test_a_withdrawal_that_failed(self, bench, board):
        push_product(bench.lake, PRODUCT)
        delete_product(bench.lake, PRODUCT, "ann")
        board.broken = PublishFailed("down")
        assert push_product(bench.lake, PRODUCT).state == "failed"
        progress = upkeep.run_sweep("resync", bench.lake, Request(), lambda: True)
        assert progress.failed == ("catalogue shop: down",)
        board.broken = None
        progress = upkeep.run_sweep("resync", bench.lake, Request(), lambda: True)
        assert (progress.done, progress.failed) == (("catalogue shop: mended",), ())
        assert not board.shown
        assert not bench.keys(PUSHES)

    def test_another_catalogue_is_told_of_everything(self, bench):
        push_product(bench.lake, PRODUCT)
        other = Board()
        other.name = "other"
        lake = replace(bench.lake, publisher=other)
        assert list(resync_catalogue(lake)) == [Mended("catalogue", PRODUCT)]


class TestHandler:
    @pytest.fixture
    def event(self, bench, monkeypatch) -> dict:
        class Deployed:
            lake = bench.lake

            class store:  # noqa: N801 - stands for one
                key_of = staticmethod(lambda bucket, name: f"{bucket}/{name}")

            class settings:  # noqa: N801 - likewise
                quoted_events = False

        monkeypatch.setattr(handlers, "deployment", lambda: Deployed)
        bucket, _, name = head_key(PRODUCT).partition("/")
        return {"detail": {"bucket": {"name": bucket}, "object": {"key": name}}}

    def test_an_event_of_a_head(self, event, board):
        for _ in range(3):
            assert push_to_catalogue(event, None) == {"product": PRODUCT, "outcome": "published", "version": "v1.0"}
        assert board.version() == "v1.0"

    def test_an_event_of_a_head_that_is_gone(self, event, bench, board):
        push_to_catalogue(event, None)
        delete_product(bench.lake, PRODUCT, "ann")
        assert push_to_catalogue(event, None)["outcome"] == "withdrawn"
        assert not board.shown

    def test_a_failure_is_a_retry(self, event, board):
        board.broken = PublishFailed("down")
        with pytest.raises(HandlerFailed, match=r"^catalogue of shop: down$"):
            push_to_catalogue(event, None)

    @pytest.mark.parametrize(
        "name", ["product-heads/", "product-heads/a/b.json", "product-heads/A-b.json", "other.json"]
    )
    def test_another_object_is_left(self, event, board, name):
        event["detail"]["object"]["key"] = name
        assert push_to_catalogue(event, None)["outcome"] == "out_of_place"
        assert not board.told

    def test_no_event_at_all(self, event):  # noqa: ARG002 - the deployment comes with it
        assert push_to_catalogue({}, None)["outcome"] == "out_of_place"


class TestBesideTheWork:
    """On a laptop, nobody waits for the catalogue."""

    def test_the_keeper_finds_what_has_changed(self, bench, board):
        heard = []
        keeper = CatalogueKeeper(bench.lake, heard.append)
        keeper.look()
        keeper.look()
        amend(bench)
        keeper.look()
        delete_product(bench.lake, PRODUCT, "ann")
        keeper.look()
        assert [(push.state, push.version) for push in heard] == [
            ("published", "v1.0"), ("published", "v1.1"), ("withdrawn", None),
        ]  # fmt: skip
        assert not board.shown

    def test_the_keeper_waits_before_it_tries_again(self, bench, board, monkeypatch):
        board.broken = PublishFailed("down")
        keeper = CatalogueKeeper(bench.lake, lambda _push: None)
        keeper.look()
        amend(bench)
        keeper.look()
        assert board.told == 1
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 60)
        board.broken = None
        keeper.look()
        assert board.version() == "v1.1"

    @pytest.mark.parametrize("broken", [None, PublishFailed("down")])
    def test_a_catalogue_that_hangs_holds_nobody_up(self, bench, board, broken):
        board.broken, going = broken, threading.Event()
        board.before = lambda: going.wait(30)
        began = time.monotonic()
        with keeping_catalogue(bench.lake, lambda _push: None, 0.01):
            while not board.told:
                time.sleep(0.005)
            asked = time.monotonic()
            amend(bench)
            assert time.monotonic() - asked < 1
            assert bench.lake.registry.get(PRODUCT).version == Version(1, 1)
        assert time.monotonic() - began < 5
        going.set()

    def test_a_command_waits_only_so_long(self, bench, board):
        going = threading.Event()
        board.before = lambda: going.wait(30)
        assert push_briefly(bench.lake, PRODUCT, 0.1) == "it has not answered within 0.1 seconds"
        going.set()

    def test_a_command_tells_what_was_wrong(self, bench, board):
        assert push_briefly(bench.lake, PRODUCT) is None
        board.broken = PublishFailed("down")
        assert push_briefly(bench.lake, PRODUCT) == "down"


def test_what_is_kept_is_json_for_people(bench):
    push_product(bench.lake, PRODUCT)
    found = read_push(bench.lake.store, PRODUCT)
    assert found.at <= datetime.now(UTC)
    assert b'"state": "published"' in bench.read(push_key(PRODUCT))
