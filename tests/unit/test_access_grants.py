"""Grants: one grammar, and what each permits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap.access.grants import Action, Grant, Principal, check_principal, parse_grant
from daap.errors import InvalidName

READ, UPLOAD, MANAGE = Action.READ, Action.UPLOAD, Action.MANAGE
OWNER = "alice@example.org"

PRODUCTS = st.from_regex("[a-z0-9_]{1,128}", fullmatch=True)
OWNERS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60).filter(
    lambda owner: owner == owner.strip()
)
GRANTS = st.one_of(
    st.just(Grant(None)),
    st.builds(Grant, st.sampled_from(Action)),
    st.builds(Grant, st.sampled_from(Action), product=PRODUCTS),
    st.builds(Grant, st.sampled_from(Action), owner=OWNERS),
)


def make_principal(*grants: str) -> Principal:
    return Principal("ann", tuple(map(parse_grant, grants)))


@pytest.mark.parametrize(
    ("text", "grant"),
    [
        ("admin", Grant(None)),
        ("read:*", Grant(READ)),
        ("upload:spend", Grant(UPLOAD, product="spend")),
        ("manage:owner=alice@example.org", Grant(MANAGE, owner=OWNER)),
        ("read:owner", Grant(READ, product="owner")),
        ("read:owner=*", Grant(READ, owner="*")),
        ("read:owner=a:b=c, d", Grant(READ, owner="a:b=c, d")),
        ("read:owner=Équipe données", Grant(READ, owner="Équipe données")),
    ],
)
def test_a_grant_is_admin_or_an_action_with_a_scope(text, grant):
    assert parse_grant(text) == grant
    assert str(grant) == text


@given(GRANTS)
def test_a_grant_written_and_read_is_the_same(grant):
    assert parse_grant(str(grant)) == grant


@given(st.one_of(st.text(max_size=40), st.text("adminreloupgs:*=_ ", max_size=20)))
def test_any_text_is_one_grant_or_refused(text):
    try:
        grant = parse_grant(text)
    except InvalidName:
        return
    assert str(grant) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "*", ":", "read", "read:", ":*", "Read:*", "READ:*", " read:*", "read:* ", "read: *", "read:**", "read:*,x",
        "write:*", "delete:spend", "admin:*", "admin:spend", "Admin", "admin ", "read:Spend", "read:sp-end",
        "read:../spend", "read:spend/march", "read:spend\n", "read:spend\0", "read:" + "a" * 129, "read:sp*",
        "read:owner=", "read:owner= ", "read:owner=alice ", "read:owner= alice", "read:owner=a\nb", "read:owner=a\0b",
        "read:owner=\ud800", "read:Owner=alice", "read:owner=" + "a" * 10_001, "read:user=alice", "read:spend:march",
        "read,upload:spend", "read upload:spend", "manage", "raed:*", "ｒead:*",
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_told_what_is_allowed(text):
    with pytest.raises(InvalidName, match="write admin, or read, upload or manage") as caught:
        parse_grant(text)
    assert len(str(caught.value)) < 10_000
    str(caught.value).encode()


@pytest.mark.parametrize(
    "parts",
    [(READ, "spend", "alice"), (None, "spend", None), (None, None, "alice"), (READ, "Spend", None), (READ, None, "")],
)
def test_no_grant_can_be_made_that_has_no_text(parts):
    with pytest.raises(InvalidName):
        Grant(*parts)


@pytest.mark.parametrize(
    ("grant", "permitted"),
    [
        ("read:spend", {READ}),
        ("upload:spend", {UPLOAD}),
        ("manage:spend", {READ, UPLOAD, MANAGE}),
        ("admin", {READ, UPLOAD, MANAGE}),
    ],
)
def test_manage_holds_upload_and_read_and_upload_holds_nothing_else(grant, permitted):
    principal = make_principal(grant)
    assert {action for action in Action if principal.may(action, "spend", None)} == permitted


def test_a_product_scope_is_for_that_product_alone():
    principal = make_principal("read:spend")
    assert principal.may(READ, "spend", "bob")
    assert not principal.may(READ, "spend_more", "bob")
    assert not principal.may(READ, "spen", "bob")
    assert not principal.sees_all(READ)


def test_an_owner_scope_is_for_the_products_of_just_that_owner():
    principal = make_principal(f"manage:owner={OWNER}")
    assert principal.may(MANAGE, "spend", OWNER)
    assert not principal.may(MANAGE, "spend", OWNER.upper())
    assert not principal.may(MANAGE, "spend", f"{OWNER}.evil")
    assert not principal.may(MANAGE, "spend", "")
    assert not principal.sees_all(READ)


def test_a_product_whose_owner_is_unknown_is_nobodys():
    assert not make_principal(f"manage:owner={OWNER}").may(READ, "spend", None)
    assert make_principal("read:*").may(READ, "spend", None)


def test_a_product_is_not_taken_for_an_owner_of_the_same_name():
    assert not make_principal("read:owner=spend").may(READ, "spend", "alice")
    assert not make_principal("read:spend").may(READ, "other", "spend")


def test_all_products_are_seen_with_a_star_or_as_admin():
    assert make_principal("read:*").sees_all(READ)
    assert make_principal("manage:*").sees_all(READ)
    assert make_principal("admin").sees_all(MANAGE)
    assert not make_principal("upload:*").sees_all(READ)
    assert not make_principal("read:*").sees_all(UPLOAD)
    assert not make_principal("read:owner=*").sees_all(READ)
    assert not make_principal().sees_all(READ)


def test_only_admin_is_admin():
    assert make_principal("read:spend", "admin").is_admin
    assert not make_principal("manage:*", "read:*", "upload:*").is_admin


def test_grants_add_up():
    principal = make_principal("upload:spend", "read:owner=bob")
    assert principal.may(UPLOAD, "spend", "alice")
    assert principal.may(READ, "spend", "bob")
    assert not principal.may(READ, "spend", "alice")
    assert not principal.may(UPLOAD, "other", "bob")


def test_a_principal_without_grants_may_nothing():
    assert not any(make_principal().may(action, "spend", OWNER) for action in Action)


@pytest.mark.parametrize(
    ("grants", "matters"),
    [((), False), (("admin",), False), (("read:*", "upload:spend"), False), (("read:*", "upload:owner=bob"), True)],
)
def test_a_principal_knows_whether_an_owner_can_matter(grants, matters):
    assert make_principal(*grants).has_owner_scope is matters


@given(st.lists(GRANTS, max_size=4), st.sampled_from(Action), PRODUCTS, OWNERS)
def test_an_owner_only_ever_adds_and_matters_only_to_owner_scopes(grants, action, product, owner):
    principal = Principal("ann", tuple(grants))
    if principal.may(action, product, None):
        assert principal.may(action, product, owner)
    elif principal.may(action, product, owner):
        assert principal.has_owner_scope


@given(st.lists(GRANTS, max_size=4), PRODUCTS, OWNERS)
def test_whoever_sees_all_may_with_each_and_admin_may_everything(grants, product, owner):
    principal = Principal("ann", tuple(grants))
    for action in Action:
        may = principal.may(action, product, owner)
        assert may or not principal.sees_all(action)
        assert may or not principal.is_admin
        assert may or not principal.may(MANAGE, product, owner)


@pytest.mark.parametrize("name", ["a", "ann", "Ann Lee", "ann@example.org", "batch/nightly", "Ådám 数据", "x" * 256])
def test_a_principal_has_a_printable_name(name):
    assert Principal(name, ()).name == check_principal(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 257, "a\nb", "a\0b", "a\tb", "\x1b[31m", "a\x7f", "a\u202eb", "a\u200bb", "\ud800"]
)
def test_a_name_that_cannot_be_shown_is_refused(name):
    with pytest.raises(InvalidName, match="1 to 256 printable characters") as caught:
        Principal(name, ())
    assert str(caught.value).isprintable()
