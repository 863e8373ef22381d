"""`daap-local token`: shown once, never kept, and in no log."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from daap.access.tokens import TokenStore
from daap.engines.duckdb.engine import DuckDBEngine
from daap.errors import Unauthenticated
from daap_local.cli import main
from daap_local.cli.token import read_expiry
from daap_local.folder_store import FolderStore
from tests.support.lakes import make_csv, open_folders
from tests.support.processes import run_command

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Desk:
    """A lake's folder, and the commands."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def tokens(self) -> TokenStore:
        return TokenStore(FolderStore(self.root))

    def run(self, *words: str, ends: int = 0) -> Result:
        """Runs `daap-local token`; it has to end with the code `ends`, and in no case with a traceback."""
        result = CliRunner().invoke(main, ["--root", str(self.root), "token", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
        assert result.exit_code == ends, result.output
        return result

    def create(self, *words: str) -> str:
        return self.run("create", "ann", "--grant", "read:*", *words).stdout.strip()

    def list(self) -> list[dict]:
        return json.loads(self.run("list", "--format", "json").stdout)

    def events(self) -> list[dict]:
        paths = sorted(self.root.glob("logs/events/*/*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]

    def contents(self) -> bytes:
        """Every file of the lake, hidden ones too, one behind the other, with its name."""
        files = (path for path in self.root.rglob("*") if path.is_file())
        return b"\n".join(str(path).encode() + b"\n" + path.read_bytes() for path in files)


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Desk:
    monkeypatch.delenv("DAAP_ROOT", raising=False)
    return Desk(tmp_path)


def test_standard_output_has_the_token_and_nothing_else(desk):
    result = desk.run("create", "finance-batch", "--grant", "upload:spend", "--grant", "read:*", "--expires", "90d")
    assert re.fullmatch("daap_[a-z0-9]{16}_[A-Za-z0-9]{43}\n", result.stdout)
    principal = desk.tokens.authenticate(result.stdout.strip())
    assert (principal.name, list(map(str, principal.grants))) == ("finance-batch", ["upload:spend", "read:*"])


def test_the_hints_go_to_standard_error_and_without_the_token(desk):
    result = desk.run("create", "ann", "--grant", "manage:owner=Finance Team", "--expires", "2999-12-31")
    token = result.stdout.strip()
    assert token not in result.stderr
    assert "ann: manage:owner=Finance Team. It expires: 3000-01-01 00:00 UTC" in result.stderr
    assert f"daap-local token revoke {token.split('_')[1]}" in result.stderr
    assert "not shown again" in result.stderr


def test_a_script_gets_the_token_as_json(desk):
    told = json.loads(desk.run("create", "ann", "--grant", "admin", "--format", "json").stdout)
    assert desk.tokens.authenticate(told["token"]).token_id == told["id"]
    assert (told["grants"], told["expires"], told["revoked"]) == (["admin"], None, None)


def test_tokens_are_listed_without_what_they_are(desk):
    token = desk.create()
    (listed,) = desk.list()
    assert set(listed) == {"id", "principal", "grants", "created", "expires", "revoked", "state"}
    table = desk.run("list").stdout
    assert re.search(r"ann +read:\* +\d{4}-\d\d-\d\d \d\d:\d\d UTC +never +valid", table)
    record = json.loads(next(desk.root.glob(f"metadata/access-tokens/{listed['id']}.json")).read_text())
    for secret in (token, token.rpartition("_")[2], record["hash"], record["salt"]):
        assert secret not in table + json.dumps(listed)


def test_where_there_are_no_tokens_the_list_says_so(desk):
    assert desk.run("list").stdout == "There are no tokens yet.\n"
    assert desk.list() == []


def test_a_revoked_token_is_refused_and_listed_as_such(desk):
    token = desk.create()
    token_id = token.split("_")[1]
    assert desk.run("revoke", token_id).stdout == f"Token {token_id} of ann is revoked.\n"
    with pytest.raises(Unauthenticated):
        desk.tokens.authenticate(token)
    assert [listed["state"] for listed in desk.list()] == ["revoked"]
    desk.run("revoke", token_id)


def test_revoking_what_is_not_there_is_a_wrong_use(desk):
    result = desk.run("revoke", "0123456789abcdef", ends=2)
    assert result.stderr == "Error: there is no token 0123456789abcdef; list them with: daap-local token list\n"


def test_a_whole_token_in_place_of_an_id_is_neither_said_nor_logged(desk):
    token = desk.create()
    result = desk.run("revoke", token, ends=2)
    assert "between daap_ and the next _" in result.stderr
    assert token not in result.output
    assert [event["stage"] for event in desk.events()] == ["token_created"]
    assert token.rpartition("_")[2].encode() not in desk.contents()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ann",), "--grant"),
        (("ann", "--grant", "write:*"), "write admin, or read, upload or manage"),
        (("ann", "--grant", "read:Spend"), "product name 'Spend' is not allowed"),
        (("ann", "--grant", "read:*", "--expires", "soon"), "neither a number of days"),
        (("ann", "--grant", "read:*", "--expires", "0d"), "neither a number of days"),
        (("ann", "--grant", "read:*", "--expires", "2027-02-30"), "neither a number of days"),
        (("ann", "--grant", "read:*", "--expires", "2001-01-31"), "is past"),
        (("", "--grant", "read:*"), "1 to 256 printable characters"),
        (("a\nb", "--grant", "read:*"), "1 to 256 printable characters"),
    ],
)
def test_a_wrong_use_is_explained_and_makes_nothing(desk, words, said):
    result = desk.run("create", *words, ends=2)
    assert said in result.stderr
    assert result.stdout == ""
    assert desk.contents() == b""


def test_making_and_revoking_are_in_the_audit_log(desk):
    token_id = desk.create().split("_")[1]
    desk.run("revoke", token_id)
    created, revoked = desk.events()
    assert (created["stage"], created["level"], created["message"]) == (
        "token_created", "info", f"token {token_id} of ann created",
    )  # fmt: skip
    assert (created["tokenId"], created["principal"], created["grants"]) == (token_id, "ann", ["read:*"])
    assert (revoked["stage"], revoked["tokenId"]) == ("token_revoked", token_id)
    assert created["actor"] == revoked["actor"] != ""


def test_a_try_to_revoke_what_is_not_there_is_in_the_audit_log(desk):
    desk.run("revoke", "0123456789abcdef", ends=2)
    assert [event["stage"] for event in desk.events()] == ["stopped"]


def test_events_of_tokens_can_be_queried(desk):
    desk.create()
    sql = "SELECT stage, message FROM daap_logs.events"
    result = CliRunner().invoke(main, ["--root", str(desk.root), "sql", sql, "--format", "json"])
    (row,) = json.loads(result.stdout)
    assert row["stage"] == "token_created"


def test_no_object_of_the_lake_holds_a_secret(desk):
    """Neither a log nor a receipt nor anything else, whatever was done with the tokens."""
    tokens = [desk.create(), desk.create("--expires", "1d"), desk.tokens.create_first("root") or desk.create()]
    tokens.append(json.loads(desk.run("create", "bob", "--grant", "admin", "--format", "json").stdout)["token"])
    for token in tokens:
        desk.tokens.authenticate(token)
    desk.run("list")
    for token in tokens[:2]:
        desk.run("revoke", token.split("_")[1])
        desk.run("revoke", token, ends=2)
        with pytest.raises(Unauthenticated):
            desk.tokens.authenticate(token)
    name = desk.tokens.authenticate(tokens[3]).name
    bench = open_folders(desk.root, DuckDBEngine(scratch=desk.root / ".scratch"))
    bench.register()
    bench.ingest(bench.drop("orders.csv", make_csv()), actor=name)
    kept = desk.contents()
    assert b"load-receipts" in kept
    assert b"logs/events" in kept
    assert len(tokens) == 4
    for token in tokens:
        assert token.split("_")[1].encode() in kept
        assert token.rpartition("_")[2].encode() not in kept


def test_the_command_works_as_a_process_of_its_own(desk):
    result = run_command(desk.root, "token", "create", "ann", "--grant", "admin")
    assert (result.returncode, result.stderr.count("\n")) == (0, 3)
    assert desk.tokens.authenticate(result.stdout.removesuffix("\n")).is_admin


def test_a_lake_that_cannot_be_written_gives_no_token(desk):
    (desk.root / "metadata").write_text("in the way")
    result = desk.run("create", "ann", "--grant", "admin", ends=3)
    assert result.stdout == ""


@pytest.mark.parametrize("words", [("-h",), ("create", "-h"), ("list", "-h"), ("revoke", "-h")])
def test_every_help_has_an_example(desk, words):
    assert "daap-local token" in desk.run(*words).stdout.split("Example", 1)[1]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1d", datetime(2026, 2, 1, 12, tzinfo=UTC)), ("90d", NOW + timedelta(days=90)),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)), ("2026-01-31", datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_an_expiry_is_in_days_or_at_the_end_of_a_day(text, moment):
    assert read_expiry(text, NOW) == moment


@given(st.one_of(st.text(max_size=12), st.text("0123456789d-", max_size=10), st.integers(0, 10**7).map("{}d".format)))
def test_any_text_is_an_expiry_to_come_or_refused(text):
    try:
        moment = read_expiry(text, NOW)
    except ValueError:
        return
    assert moment > NOW


@pytest.mark.parametrize("text", ["9999-12-31", "100000d", "٣d", "２０２７-01-31", "90 d", "90", "-1d", "20270131"])
def test_what_is_no_expiry_is_refused(text):
    with pytest.raises(ValueError, match="neither a number of days"):
        read_expiry(text, NOW)


def test_an_expiry_that_is_past_is_refused():
    with pytest.raises(ValueError, match="2026-01-30 is past"):
        read_expiry("2026-01-30", NOW)
