"""`daap-local token`."""

from __future__ import annotations

import getpass
import re
from datetime import UTC, datetime, timedelta

import click

from daap.access.grants import Grant, check_principal, parse_grant
from daap.access.records import TokenInfo
from daap.access.tokens import TokenStore
from daap.errors import InvalidName
from daap.model.keys import token_key
from daap.pipeline.audit import Trail, audited
from daap_local.cli.common import format_option, print_json, print_table, with_place
from daap_local.places import Place

_EPILOG = """\b
A grant is admin, or an action and a scope:
  read:*                            read every product
  upload:spend                      send files to the product spend
  manage:owner=alice@example.org    all with the products of this dataProductOwner
manage holds read and upload; upload does not hold read; admin holds everything.

\b
Examples:
  daap-local token create alice --grant manage:owner=alice@example.org
  daap-local token list
  daap-local token revoke k3v9x0a2m4q8t1zb
"""
_CREATE_EPILOG = """\b
Standard output has the token and nothing else.

\b
Examples:
  daap-local token create finance-batch --grant upload:spend --grant read:* --expires 90d
  daap-local token create alice --grant manage:owner=alice@example.org --expires 2027-01-31
  TOKEN=$(daap-local token create root --grant admin)
"""
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_COLUMNS = ("id", "principal", "grants", "created", "expires", "state")


@click.group("token", epilog=_EPILOG)
def command() -> None:
    """Create, list and revoke access tokens.

    A token names a principal and what it may do. Only a salted hash of it is kept, so it is shown once,
    when it is made.
    """


def _read_grants(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> tuple[Grant, ...]:
    try:
        return tuple(map(parse_grant, texts))
    except InvalidName as error:
        raise click.BadParameter(str(error)) from None


def _read_expiry(_ctx: click.Context, _param: click.Parameter, text: str | None) -> datetime | None:
    try:
        return read_expiry(text, datetime.now(UTC)) if text is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def read_expiry(text: str, now: datetime) -> datetime:
    """The moment that `90d` (from `now`) or `2027-01-31` (the end of that day, UTC) names; raises ValueError."""
    try:
        moment = _find_moment(text, now)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise ValueError(f"{text!r} is neither a number of days, as 90d, nor a date, as 2027-01-31")
    if moment <= now:
        raise ValueError(f"{text} is past")
    return moment


def _find_moment(text: str, now: datetime) -> datetime | None:
    if days := _DAYS.fullmatch(text):
        return now + timedelta(days=int(days[1]))
    if _DATE.fullmatch(text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=1)
    return None


@command.command("create", epilog=_CREATE_EPILOG)
@click.argument("name")
@click.option("--grant", "grants", metavar="GRANT", callback=_read_grants, required=True, multiple=True,
              help="What it may do; repeatable.")  # fmt: skip
@click.option("--expires", metavar="DAYS|DATE", callback=_read_expiry,
              help="In so many days (90d), or at the end of a day in UTC (2027-01-31). Default: never.")  # fmt: skip
@format_option("text", "json")
@with_place
def create(place: Place, name: str, grants: tuple[Grant, ...], expires: datetime | None, form: str) -> None:
    """Create a token for the principal NAME and print it, this once."""
    check_principal(name)
    store = place.store
    with audited(store, None, actor=getpass.getuser()) as trail:
        token, info = TokenStore(store).create(name, grants, expires)
        _log(trail, "token_created", "created", info)
    if form == "json":
        print_json({"token": token} | info.dump())
        return
    click.echo(token)
    click.echo(_describe(info), err=True)


@command.command("list", epilog="Example: daap-local token list")
@format_option("table", "json")
@with_place
def list_tokens(place: Place, form: str) -> None:
    """List the tokens with what they permit; the newest last."""
    now = datetime.now(UTC)
    tokens = sorted(TokenStore(place.store).list(), key=lambda info: (info.created, info.id))
    if form == "json":
        print_json([info.dump() | {"state": info.state(now)} for info in tokens])
        return
    rows = [
        (info.id, info.principal, ", ".join(map(str, info.grants)), _say(info.created), _say(info.expires, "never"),
         info.state(now))
        for info in tokens
    ]  # fmt: skip
    print_table(_COLUMNS, rows, empty="There are no tokens yet.")


@command.command("revoke", epilog="Example: daap-local token revoke k3v9x0a2m4q8t1zb")
@click.argument("token_id", metavar="ID")
@with_place
def revoke(place: Place, token_id: str) -> None:
    """End the token with this ID at once.

    `token list` shows the ids. In a token, it is the part between daap_ and the next _.
    """
    token_key(token_id)  # before the trail begins: a whole token, given by mistake, is not to be logged
    store = place.store
    with audited(store, None, actor=getpass.getuser()) as trail:
        info = TokenStore(store).revoke(token_id)
        _log(trail, "token_revoked", "revoked", info)
    click.echo(f"Token {info.id} of {info.principal} is revoked.")


def _log(trail: Trail, stage: str, done: str, info: TokenInfo) -> None:
    grants = [str(grant) for grant in info.grants]
    message = f"token {info.id} of {info.principal} {done}"
    trail.info(stage, message, tokenId=info.id, principal=info.principal, grants=grants, expires=info.expires)


def _describe(info: TokenInfo) -> str:
    grants = ", ".join(map(str, info.grants))
    return (
        f"This token is for {info.principal}: {grants}. It expires: {_say(info.expires, 'never')}.\n"
        "Keep it safe: it is not shown again. Send it as the header authorizationToken.\n"
        f"To end it: daap-local token revoke {info.id}"
    )


def _say(moment: datetime | None, nothing: str = "") -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else nothing
