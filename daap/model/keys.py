"""Where everything lies: keys of the zones, and how a key in landing is read.

A key is `{zone}/{path}`; a store maps each zone to a folder or a bucket.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from daap.errors import InvalidName
from daap.model.loads import LoadId, TableRef
from daap.model.names import check_product, check_table
from daap.model.stamps import parse_stamp
from daap.model.versions import Version

Zone = Literal["landing", "raw", "curated", "fail", "metadata", "logs"]
ZONES: tuple[Zone, ...] = get_args(Zone)

_MAJOR = re.compile(r"v([1-9][0-9]{0,5})")
_PARTITION = re.compile(r"load_timestamp=(.+)")
_FILE = re.compile(r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.(?P<ext>[a-z0-9]{1,16})")
_TOKEN_ID = re.compile(r"[a-z0-9]{16}")
_PART = re.compile(r"[^\x00-\x1f/\\]+")
_MAX_PART = 255  # bytes of a file name on the usual file systems


def check_key(key: str) -> str:
    """Returns `key`; raises InvalidName unless it is a zone and a plain path (no `..`, no empty part)."""
    zone, *parts = key.split("/")
    if zone not in ZONES or not parts or not all(map(_is_part, parts)):
        raise InvalidName(f"{key!r} is no key; one looks like raw/spend/v1/march/...")
    return key


def check_prefix(prefix: str) -> str:
    """Returns `prefix`; raises InvalidName unless it is a zone and a slash, then the beginning of a plain path."""
    zone, slash, rest = prefix.partition("/")
    *folders, last = rest.split("/")
    if zone not in ZONES or not slash or not all(map(_is_part, folders)) or (last and not _is_part(last)):
        raise InvalidName(f"{prefix!r} is no prefix of keys; one looks like raw/spend/")
    return prefix


def _is_part(part: str) -> bool:
    try:
        size = len(part.encode())
    except UnicodeEncodeError:  # a file name that is not in the system's encoding
        return False
    return size <= _MAX_PART and part not in (".", "..") and bool(_PART.fullmatch(part))


def file_key(zone: Zone, load: LoadId, file_id: str, extension: str = "csv") -> str:
    """`{zone}/{product}/v{major}/{table}/load_timestamp={stamp}/{file_id}.{extension}`."""
    return f"{partition_prefix(zone, load)}{file_id}.{extension}"


def partition_prefix(zone: Zone, load: LoadId) -> str:
    """The folder of one load in a zone, with the slash at its end."""
    return f"{table_prefix(zone, load.ref)}load_timestamp={load.stamp}/"


def table_prefix(zone: Zone, ref: TableRef) -> str:
    """The folder of one table in a zone, with the slash at its end."""
    return f"{zone}/{ref}/"


def report_key(load: LoadId, file_id: str) -> str:
    """The JSON error report beside a refused file."""
    return file_key("fail", load, file_id, "errors.json")


def annotated_key(load: LoadId, file_id: str) -> str:
    """The producer's CSV with an error column, beside a refused file."""
    return file_key("fail", load, file_id, "errors.csv")


def receipt_key(load: LoadId) -> str:
    """The receipt of a load. The hyphen keeps the folder apart from every product's."""
    return f"metadata/load-receipts/{load.ref}/{load.stamp}.json"


def claim_key(file_id: str) -> str:
    """The claim of a file that is on its way; it goes when the load is done."""
    return f"metadata/load-claims/{file_id}.json"


def clock_key(ref: TableRef) -> str:
    """The last load timestamp that was allotted for a table."""
    return f"metadata/load-clocks/{ref}.json"


def token_key(token_id: str) -> str:
    """What is kept of an access token; raises InvalidName, without the text: it may be a whole token."""
    if not _TOKEN_ID.fullmatch(token_id):
        raise InvalidName("that is no token's id; it is the 16 letters and digits between daap_ and the next _")
    return f"metadata/access-tokens/{token_id}.json"


HEADS = "metadata/product-heads/"


def head_key(product: str) -> str:
    """The current definition of a product. All heads lie in one folder, so that products can be listed."""
    return f"{HEADS}{check_product(product)}.json"


PUSHES = "metadata/catalogue-pushes/"


def push_key(product: str) -> str:
    """What came of telling another catalogue of a product."""
    return f"{PUSHES}{check_product(product)}.json"


def records_prefix(product: str) -> str:
    """The folder of a product's version records, with the slash at its end."""
    return f"metadata/product-versions/{check_product(product)}/"


def record_key(product: str, version: Version) -> str:
    """The record of one version; padded, so that keys are listed in the order of versions."""
    return f"{records_prefix(product)}v{version.major:06}.{version.minor:06}.json"


def version_key(product: str, version: str, *rest: str) -> str:
    """An object of one version of a product: `metadata.json`, or `{table}/schema.json`."""
    return "/".join(("metadata", check_product(product), version, *rest))


@dataclass(frozen=True, slots=True)
class Drop:
    """A file put down as `landing/{product}/{table}/{name}`; its load timestamp is allotted on arrival."""

    product: str
    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in the full layout, which says its own load timestamp and id."""

    load: LoadId
    file_id: str
    extension: str

    @property
    def product(self) -> str:
        """The product the file is for."""
        return self.load.ref.product

    @property
    def table(self) -> str:
        """The table the file is for."""
        return self.load.ref.table


def read_landing(key: str) -> Drop | Upload:
    """What a key in landing names; raises InvalidName where it is neither of the two layouts."""
    parts = check_key(key).split("/")
    try:
        if parts[0] == "landing" and len(parts) == 4:  # noqa: PLR2004 - zone, product, table, name
            return Drop(check_product(parts[1]), check_table(parts[2]), parts[3])
        if parts[0] == "landing" and len(parts) == 6:  # noqa: PLR2004 - and version, partition
            return _read_upload(parts)
    except InvalidName as error:
        raise InvalidName(f"{key!r} lies out of place: {error}") from None
    raise InvalidName(f"{key!r} lies out of place: put files in landing/{{product}}/{{table}}/")


def _read_upload(parts: list[str]) -> Upload:
    major, stamp, name = _MAJOR.fullmatch(parts[2]), _PARTITION.fullmatch(parts[4]), _FILE.fullmatch(parts[5])
    if not (major and stamp and name):
        raise InvalidName("the full layout is {product}/v1/{table}/load_timestamp=20260131T235959Z/{uuid}.csv")
    parse_stamp(stamp[1])
    return Upload(LoadId(TableRef(parts[1], int(major[1]), parts[3]), stamp[1]), name["id"], name["ext"])
