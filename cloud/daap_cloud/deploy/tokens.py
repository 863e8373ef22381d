"""Access tokens of a deployed lake: the first one has nobody who could make it by the API."""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from daap.access.grants import Grant, check_principal
from daap.access.records import TokenInfo
from daap.access.tokens import TokenStore
from daap.model.keys import token_key
from daap.pipeline.audit import Trail, audited
from daap_cloud.deploy.faults import DeployFailed
from daap_cloud.s3_store import Place, S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def open_store(client: S3Client, outputs: Mapping[str, str]) -> S3Store:
    """Where a stack with these outputs keeps tokens and its audit log; raises DeployFailed."""
    try:
        return S3Store(
            client, {"metadata": Place(outputs["MetadataBucket"]), "logs": Place(outputs["LogsBucket"])}
        )  # fmt: skip
    except KeyError as error:
        raise DeployFailed(f"the stack has no output {error}; deploy it anew") from None


def make_token(
    store: S3Store, principal: str, grants: Iterable[Grant], expires: datetime | None
) -> tuple[str, TokenInfo]:
    """A new token, to be shown once, and what is kept of it; raises as TokenStore.create."""
    check_principal(principal)
    with audited(store, None, actor=getpass.getuser()) as trail:
        token, info = TokenStore(store).create(principal, grants, expires)
        _log(trail, "token_created", "created", info)
    return token, info


def end_token(store: S3Store, token_id: str) -> TokenInfo:
    """Ends a token at once; raises as TokenStore.revoke."""
    token_key(token_id)  # before the trail begins: a whole token, given by mistake, is not to be logged
    with audited(store, None, actor=getpass.getuser()) as trail:
        info = TokenStore(store).revoke(token_id)
        _log(trail, "token_revoked", "revoked", info)
    return info


def _log(trail: Trail, stage: str, done: str, info: TokenInfo) -> None:
    grants = [str(grant) for grant in info.grants]
    message = f"token {info.id} of {info.principal} {done}"
    trail.info(stage, message, tokenId=info.id, principal=info.principal, grants=grants, expires=info.expires)
