"""Puts the server together. Nothing is opened before a function here is called."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from daap.errors import InvalidName
from daap.model.keys import ZONES
from daap_local.athena.api.catalogs import Catalogs
from daap_local.athena.api.executions import Executions
from daap_local.athena.api.faults import invalid_request
from daap_local.athena.api.glue import glue_service
from daap_local.athena.api.named import NamedQueries
from daap_local.athena.api.prepared import PreparedStatements
from daap_local.athena.api.protocol import Operation, Service
from daap_local.athena.api.queries import Queries
from daap_local.athena.api.results import Results
from daap_local.athena.api.s3_place import Store
from daap_local.athena.api.tags import Tags
from daap_local.athena.api.workgroups import WorkGroups
from daap_local.athena.catalog.joined import JoinedCatalog
from daap_local.athena.catalog.lake import LakeTables
from daap_local.athena.catalog.port import GlueCatalog
from daap_local.athena.catalog.shelved import ShelfCatalog
from daap_local.athena.execution.context import World
from daap_local.athena.execution.executor import Executor
from daap_local.athena.execution.record import Execution
from daap_local.athena.execution.session import Session
from daap_local.athena.objects.attributes import AttributeShelf
from daap_local.athena.objects.folders import FolderObjects
from daap_local.athena.objects.port import Objects
from daap_local.athena.options import DEFAULT_DATABASE, RESULTS_BUCKET, Options, default_threads
from daap_local.athena.shelf import Shelf
from daap_local.folder_catalogue import FolderCatalogue
from daap_local.folder_store import FolderStore

if TYPE_CHECKING:
    from daap_local.athena.execution.runner import Runner


@dataclass(frozen=True, slots=True)
class Parts:
    """What the HTTP server answers with. `buckets` and `glue` are None where another endpoint is asked for them."""

    athena: Service
    glue: Service | None
    buckets: Store | None
    warm: Callable[[], None]
    """Loads what the first statement needs."""
    close: Callable[[], None]


def build(options: Options) -> Parts:
    """The server's parts for these options."""
    if set(str(options.root)) & set("*?[]"):
        raise InvalidName(f"the folder {options.root} has one of * ? [ ] in its path; rename it or choose another")
    shelf = Shelf(options.home / "catalogue.sqlite")
    objects, buckets = _objects(options)
    glue = _glue(options, shelf)
    tags = Tags(shelf)
    groups = WorkGroups(shelf, tags, f"s3://{RESULTS_BUCKET}/" if buckets else None)
    prepared = PreparedStatements(shelf, groups)
    world = World(glue, objects, prepared=prepared)
    executor = _executor(options, world, _folders(options, buckets))
    executions = Executions(shelf)
    catalogs = Catalogs(shelf, glue, tags)
    queries = Queries(executions, executor, groups, prepared, catalogs.check)
    families = (queries, Results(executions, objects), groups, NamedQueries(shelf, groups), prepared, catalogs, tags)
    operations: dict[str, Operation] = {}
    for family in families:
        operations |= family.operations()

    def warm() -> None:
        from daap_local.athena.execution.runner import select_handlers  # noqa: PLC0415 - DuckDB and all else

        executor.warm_up()
        select_handlers()
        executions.load()

    def close() -> None:
        executor.close()
        shelf.close()

    athena = Service("athena", operations, invalid_request)
    store = Store(buckets, AttributeShelf(shelf), options.root / ".scratch" / "athena-uploads") if buckets else None
    return Parts(athena, None if options.glue_endpoint else glue_service(glue), store, warm, close)


def _objects(options: Options) -> tuple[Objects, FolderObjects | None]:
    if options.s3_endpoint:
        from daap_local.athena.objects.boto import BotoObjects  # noqa: PLC0415 - boto3 is slow to import

        return BotoObjects(options.s3_endpoint), None
    folders = FolderObjects(options.root, options.home / "buckets")
    folders.create_bucket(RESULTS_BUCKET)
    return folders, folders


def _folders(options: Options, buckets: FolderObjects | None) -> tuple[str, ...]:
    """What DuckDB itself may read: the buckets' folders, where there are any."""
    if buckets is None:
        return ()
    zones = FolderStore(options.root)
    found = [zones.folder(f"{zone}/") for zone in ZONES]
    return tuple(str(path.resolve()) for path in [*found, options.home / "buckets"])


def _glue(options: Options, shelf: Shelf) -> GlueCatalog:
    if options.glue_endpoint:
        from daap_local.athena.catalog.boto import BotoCatalog  # noqa: PLC0415 - boto3 is slow to import

        return BotoCatalog(options.glue_endpoint)
    own = ShelfCatalog(shelf)
    if not own.databases():
        own.create_database({"Name": DEFAULT_DATABASE, "Description": "Default database"})
    if options.s3_endpoint:
        return own  # the lake's folders are no buckets there
    store = FolderStore(options.root)
    return JoinedCatalog(LakeTables(store, FolderCatalogue(store)), own)


def _executor(options: Options, world: World, folders: tuple[str, ...]) -> Executor:
    @functools.cache
    def runner() -> Runner:
        from daap_local.athena.execution.runner import Runner, select_handlers  # noqa: PLC0415 - DuckDB and all else
        from daap_local.athena.hive.reading import Footers  # noqa: PLC0415 - as above

        return Runner(replace(world, footers=Footers()), select_handlers())

    def run(execution: Execution, session: Session) -> None:
        runner().run(execution, session)

    threads = options.threads or default_threads()
    scratch = options.root / ".scratch" / f"athena-{uuid.uuid4().hex}"
    return Executor(run, options.concurrent, options.memory, threads, scratch, options.waiting, folders)
