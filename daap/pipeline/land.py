"""Landing: a file is claimed, checked as a whole, and archived to raw history or to fail with its report.

Every step may be repeated: a restart, a second delivery of the event, or another worker finds how far
the file has come and goes on from there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Literal

from daap.csvtext.scan import scan_file
from daap.errors import Busy, NotRegistered, ObjectConflict, ObjectMissing, StoreUnavailable, UnknownLoad
from daap.model.events import FileArchived, FileLanded, FileRefused, Landed, NothingToDo
from daap.model.keys import Drop, Upload, file_key, read_landing
from daap.model.loads import EngineNote, LoadStatus, Receipt, TableRef
from daap.model.product import Product
from daap.model.table import Dialect, TableSchema
from daap.model.verdict import Code, DataError, Verdict, Written
from daap.model.versions import FIRST
from daap.pipeline.audit import Trail
from daap.pipeline.claims import Claim, claim_file, drop_claim, restamp_claim
from daap.pipeline.lake import Lake
from daap.pipeline.report import write_report
from daap.ports.engine import CanStage
from daap.ports.objects import ObjectInfo, ObjectStore
from daap.registry.products import Registered


def land_file(event: FileLanded, lake: Lake, trail: Trail) -> Landed:
    """Takes a file from landing to raw or fail.

    Raises InvalidName if the key is not of landing's layout, Busy if the file is still being written,
    StoreUnavailable or EngineFailed where it cannot be done now; the file is safe then.
    """
    place = read_landing(event.key)
    try:
        info = lake.store.stat(event.key)
    except ObjectMissing:
        return NothingToDo(event.key)
    ref = _locate_table(place, lake)
    claim = claim_file(lake.store, place, info, ref, event.actor)
    return land_claim(claim, lake, trail)


def _locate_table(place: Drop | Upload, lake: Lake) -> TableRef:
    """The table a file is for: a drop goes to the current major version."""
    if isinstance(place, Upload):
        return place.load.ref
    try:
        return lake.registry.get(place.product).ref(place.table)
    except NotRegistered:
        return TableRef(place.product, FIRST.major, place.table)


def land_claim(claim: Claim, lake: Lake, trail: Trail) -> Landed:
    """Goes on with a claimed file from where it is."""
    claim, receipt = _open_receipt(claim, lake)
    trail.bind(load=str(claim.load), product=claim.product, table=claim.table, actor=claim.actor)
    if receipt is None:
        drop_claim(lake.store, claim)
        trail.warn("landed", "the file was taken away before it was claimed; nothing was kept", key=claim.key)
        return NothingToDo(claim.key)
    if receipt.is_final:
        drop_claim(lake.store, claim)
        return NothingToDo(claim.key, claim.load)
    if receipt.status is LoadStatus.ARCHIVED:
        return FileArchived(receipt)
    return _judge_file(_Job(claim, receipt, lake, trail))


def _open_receipt(claim: Claim, lake: Lake) -> tuple[Claim, Receipt | None]:
    """The claim with its file in its place in landing, and its receipt; None if there is no file."""
    while True:
        where = _find_file(claim, lake.store)
        if where is None:
            return claim, _known_receipt(claim, lake)
        receipt = lake.ledger.open(_first_receipt(claim))
        if receipt.file_id == claim.file_id:
            break
        claim = restamp_claim(lake.store, claim)  # the timestamp is another file's
    if where == claim.key != claim.landing:
        _move_once(lake.store, claim.key, claim.landing)
    return claim, receipt


def _first_receipt(claim: Claim) -> Receipt:
    return Receipt(
        product=claim.product,
        major=claim.major,
        table=claim.table,
        load_timestamp=claim.stamp,
        file_id=claim.file_id,
        status=LoadStatus.LANDED,
        actor=claim.actor,
        source_name=claim.name,
        extension=claim.extension,
    )


def _known_receipt(claim: Claim, lake: Lake) -> Receipt | None:
    try:
        receipt = lake.ledger.get(claim.load)
    except UnknownLoad:
        return None
    return receipt if receipt.file_id == claim.file_id else None


def _find_file(claim: Claim, store: ObjectStore) -> str | None:
    """Where the file lies now; later stages come first, since a move leaves both names for a moment."""
    places = [
        file_key("raw", claim.load, claim.file_id, claim.extension),
        file_key("fail", claim.load, claim.file_id, claim.extension),
        claim.landing,
        claim.key,
    ]
    for key in places:
        try:
            store.stat(key)
        except ObjectMissing:
            continue
        return key
    return None


def _move_once(store: ObjectStore, source: str, target: str) -> None:
    """Moves a file that an earlier try may have moved already, wholly or but for its old name."""
    try:
        store.move(source, target)
    except ObjectConflict:
        # The target's name holds the file's id: it is this file. Both names stand for a moment in a move.
        if store.stat(target).size != store.stat(source).size:
            raise
        store.delete(source)
    except ObjectMissing:
        store.stat(target)


@dataclass(frozen=True, slots=True)
class _Job:
    """One claimed file with what is needed to judge it."""

    claim: Claim
    receipt: Receipt
    lake: Lake
    trail: Trail

    @property
    def where(self) -> str:
        """The key the file lies under now; raises ObjectMissing."""
        key = _find_file(self.claim, self.lake.store)
        if key is None:
            raise ObjectMissing(f"the file of load {self.claim.load} is gone")
        return key

    def place(self, zone: Literal["raw", "fail"]) -> str:
        """The key of the file in another zone."""
        return file_key(zone, self.claim.load, self.claim.file_id, self.claim.extension)


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a check told: the verdict, the Parquet it made in passing, and how long it took in seconds."""

    verdict: Verdict
    staged: Written | None = None
    seconds: float = 0.0


def _judge_file(job: _Job) -> Landed:
    job.trail.info("landed", f"took {job.receipt.source_name}", fileId=job.claim.file_id)
    product = _find_product(job)
    if product and job.claim.table in product.product.files:
        return _archive_plain(job, product)
    if job.claim.extension != "csv":
        not_csv = DataError(Code.NOT_CSV, "a file whose name ends in .csv", value=job.receipt.source_name)
        return _refuse(job, _bare_verdict(job, not_csv))
    if product and (schema := product.product.tables.get(job.claim.table)):
        return _judge_table(job, schema, product)
    inferred = _infer_spec(job)
    if isinstance(inferred, DataError):
        return _refuse(job, _bare_verdict(job, inferred))
    return _judge_table(job, inferred.tables[job.claim.table], inferred)


def _judge_table(job: _Job, schema: TableSchema, product: Registered | Product) -> Landed:
    """Checks the file by its schema; an inferred product is registered once the file has passed."""
    checked = _check_file(job, schema)
    if not checked.verdict.accepted:
        return _refuse(job, checked.verdict, schema, checked.seconds)
    registered = _register_inferred(job, product) if isinstance(product, Product) else product
    return _archive(job, checked, registered)


def _infer_spec(job: _Job) -> Product | DataError:
    """A spec for a table that nobody registered, where the lake infers; else what to do about it."""
    claim = job.claim
    if job.lake.infer:
        return job.lake.infer(job.lake.source(job.where), job.receipt.source_name, claim.product, claim.table)
    how = f"{claim.load.ref} is none. Put table {claim.table} into a spec and run: daap-local register SPEC.yaml"
    return DataError(Code.NOT_REGISTERED, f"a registered table; {how} (or watch with --infer)")


def _find_product(job: _Job) -> Registered | None:
    """The registered product, if the file is for its current major version."""
    try:
        found = job.lake.registry.get(job.claim.product)
    except NotRegistered:
        return None
    return found if found.version.major == job.claim.major else None


def _bare_verdict(job: _Job, error: DataError) -> Verdict:
    """The verdict on a file that was not read for its rows."""
    with job.lake.store.open(job.where) as stream:
        scan = scan_file(stream, Dialect())
    return Verdict(0, scan.size, scan.content_hash, (error,), {error.code: 1})


def _check_file(job: _Job, schema: TableSchema) -> _Checked:
    lake, key = job.lake, job.where
    before, started = lake.store.stat(key), time.perf_counter()
    source, engine = lake.source(key), lake.engine
    lake.catalogue.discard(job.claim.load)
    staged = None
    if isinstance(engine, CanStage):
        target = lake.catalogue.new_target(job.claim.load)
        verdict, staged = engine.stage(source, schema, target, lake.progress)
    else:
        verdict = engine.check(source, schema, lake.progress)
    if _has_changed(before, lake.store.stat(key), verdict):
        lake.catalogue.discard(job.claim.load)
        raise Busy(f"{job.receipt.source_name} changed while it was read; it will be read again")
    return _Checked(verdict, staged, time.perf_counter() - started)


def _has_changed(before: ObjectInfo, after: ObjectInfo, verdict: Verdict) -> bool:
    return before.version != after.version or verdict.size != before.size


def _register_inferred(job: _Job, inferred: Product) -> Registered:
    registry, claim = job.lake.registry, job.claim
    try:
        registered = registry.add_table(claim.product, claim.table, inferred.tables[claim.table])
    except NotRegistered:
        registered, _ = registry.register(inferred)
    job.trail.info("registered", f"inferred table {claim.table}: {claim.product} is {registered.version} now")
    return registered


def _archive(job: _Job, checked: _Checked, product: Registered) -> FileArchived:
    lake, load, verdict = job.lake, job.claim.load, checked.verdict
    lake.ledger.advance(
        load, LoadStatus.CHECKED, rows_read=verdict.rows, timings={"check": round(checked.seconds, 6)},
        schema_version=str(product.version),
        **_file_facts(job, verdict),
    )  # fmt: skip
    job.trail.info("checked", f"{verdict.rows} rows are right", rows=verdict.rows, seconds=round(checked.seconds, 6))
    return FileArchived(_move_to_raw(job, verdict.size), checked.staged)


def _move_to_raw(job: _Job, size: int) -> Receipt:
    started, key = time.perf_counter(), job.place("raw")
    _move_once(job.lake.store, job.claim.landing, key)
    if job.lake.store.stat(key).size != size:
        raise StoreUnavailable(f"{key} is not as long as the file that was checked")
    seconds = round(time.perf_counter() - started, 6)
    job.trail.info("archived", f"kept as {key}", seconds=seconds)
    return job.lake.ledger.advance(job.claim.load, LoadStatus.ARCHIVED, timings={"archive": seconds})


def _archive_plain(job: _Job, product: Registered) -> FileArchived:
    """A file of a files component: kept as it came, nothing else."""
    with job.lake.store.open(job.where) as stream:
        scan = scan_file(stream, Dialect())
    job.lake.ledger.advance(
        job.claim.load, LoadStatus.CHECKED, kind="file", bytes=scan.size, content_hash=scan.content_hash,
        schema_version=str(product.version),
    )  # fmt: skip
    archived = FileArchived(_move_to_raw(job, scan.size))
    drop_claim(job.lake.store, job.claim)
    return archived


def _refuse(job: _Job, verdict: Verdict, schema: TableSchema | None = None, seconds: float = 0.0) -> FileRefused:
    lake = job.lake
    errors = write_report(lake.store, job.receipt, verdict, lake.source(job.where), schema)
    _move_once(lake.store, job.claim.landing, job.place("fail"))
    receipt = lake.ledger.advance(
        job.claim.load, LoadStatus.FAILED, errors=errors, rows_read=verdict.rows or None,
        timings={"check": round(seconds, 6)},
        **_file_facts(job, verdict),
    )  # fmt: skip
    job.trail.warn("failed", f"refused: {errors.total} errors, first {errors.first}", byCode=errors.by_code)
    drop_claim(lake.store, job.claim)
    return FileRefused(receipt)


def _file_facts(job: _Job, verdict: Verdict) -> dict[str, Any]:
    engine = job.lake.engine
    return {
        "bytes": verdict.size,
        "content_hash": verdict.content_hash,
        "engine": EngineNote(name=engine.name, version=engine.version, path=verdict.path),
    }
