"""Judging: the check of a claimed file, and what follows from it: raw history, or fail with a report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from daap.errors import AlreadyRegistered, Busy, InvalidSpec, NotRegistered, ObjectMissing
from daap.model.events import FileArchived, FileRefused, Landed
from daap.model.loads import EngineNote, ErrorSummary, LoadStatus, Receipt
from daap.model.product import Product
from daap.model.table import Dialect, TableSchema
from daap.model.verdict import Code, DataError, Verdict, Written
from daap.model.versions import FIRST
from daap.pipeline.audit import Trail
from daap.pipeline.claims import Claim
from daap.pipeline.lake import Lake
from daap.pipeline.report import read_summary, write_report
from daap.pipeline.whereabouts import fail_key, find_file, hash_object, move_once, raw_key
from daap.ports.engine import CanStage
from daap.ports.objects import ObjectInfo
from daap.registry.heads import Registered


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed file with what is needed to judge it."""

    claim: Claim
    receipt: Receipt
    lake: Lake
    trail: Trail

    @property
    def where(self) -> str:
        """The key the file lies under now; raises ObjectMissing."""
        key = find_file(self.claim, self.lake.store)
        if key is None:
            raise ObjectMissing(f"the file of load {self.claim.load} is gone")
        return key


@dataclass(frozen=True, slots=True)
class _Checked:
    """What a check told: the verdict, the Parquet it made in passing, the object it read, and its seconds."""

    verdict: Verdict
    staged: Written | None
    info: ObjectInfo
    seconds: float


def judge_file(job: Job) -> Landed:
    """Brings a file that has landed to raw or fail; raises as land_file."""
    where = find_file(job.claim, job.lake.store)
    if where is None:
        return _refuse_withdrawn(job)
    if where == fail_key(job.claim) and (summary := read_summary(job.lake.store, job.receipt)):
        return _finish_refusal(job, _scan_only(job), summary)
    job.trail.info("landed", f"took {job.receipt.source_name}", fileId=job.claim.file_id)
    registered = _find_product(job)
    if registered and job.claim.table in registered.product.files:
        return _archive_plain(job, registered)
    spec = _find_spec(job, registered)
    if isinstance(spec, DataError):
        return _refuse(job, _bare_verdict(job, spec))
    return _judge_table(job, spec)


def _find_product(job: Job) -> Registered | None:
    """The registered product, if there is one; of any major version."""
    try:
        return job.lake.registry.get(job.claim.product)
    except NotRegistered:
        return None


def _find_spec(job: Job, registered: Registered | None) -> Registered | Product | DataError:
    """What the file is to be checked by: what is registered, or inferred where the lake does so."""
    claim = job.claim
    if claim.extension != "csv":
        return DataError(Code.NOT_CSV, "a file whose name ends in .csv", value=job.receipt.source_name)
    major = registered.version.major if registered else FIRST.major
    if registered and major == claim.major and claim.table in registered.product.tables:
        return registered
    if job.lake.infer and major == claim.major:
        return job.lake.infer(job.lake.source(job.where), job.receipt.source_name, claim.product, claim.table)
    if registered and claim.major < major:
        told = f"a file for {registered.version}; {claim.product} was still v{claim.major} when this upload began"
        return DataError(Code.NOT_REGISTERED, f"{told}. Begin a new one")
    how = f"Put table {claim.table} into a spec and run: daap-local register SPEC.yaml (or watch with --infer)"
    return DataError(Code.NOT_REGISTERED, f"a registered table; {claim.load.ref} is none. {how}")


def _judge_table(job: Job, spec: Registered | Product) -> Landed:
    """Checks the file by its schema; an inferred product is registered once the file has passed."""
    product = spec if isinstance(spec, Product) else spec.product
    schema = product.tables[job.claim.table]
    checked = _check_file(job, schema)
    if not checked.verdict.accepted:
        return _refuse(job, checked.verdict, schema, checked.seconds)
    try:
        registered = _register_inferred(job, spec) if isinstance(spec, Product) else spec
    except InvalidSpec as error:
        job.lake.catalogue.discard(job.claim.load)
        return _refuse(
            job, _bare_verdict(job, DataError(Code.NOT_REGISTERED, f"a name that may be registered: {error}"))
        )
    if not _archive(job, checked, registered):
        return _judge_table(job, registered)
    return FileArchived(job.lake.ledger.get(job.claim.load), checked.staged)


def _check_file(job: Job, schema: TableSchema) -> _Checked:
    lake, key = job.lake, job.where
    before, started = lake.store.stat(key), time.perf_counter()
    source, engine = lake.source(key), lake.engine
    staged = None
    if isinstance(engine, CanStage):
        verdict, staged = engine.stage(source, schema, lake.catalogue.new_target(job.claim.load), lake.progress)
    else:
        verdict = engine.check(source, schema, lake.progress)
    if before.version != lake.store.stat(key).version or verdict.size != before.size:
        lake.catalogue.discard(job.claim.load)
        raise Busy(f"{job.receipt.source_name} changed while it was read; it will be read again")
    return _Checked(verdict, staged, before, time.perf_counter() - started)


def _register_inferred(job: Job, inferred: Product) -> Registered:
    registry, claim = job.lake.registry, job.claim
    try:
        registered = registry.ensure_table(claim.product, claim.table, inferred.tables[claim.table], claim.actor)
    except NotRegistered:
        try:
            registered, _ = registry.register(inferred, claim.actor)
        except AlreadyRegistered:  # by another process, a moment ago, for another table
            registered = registry.ensure_table(claim.product, claim.table, inferred.tables[claim.table], claim.actor)
    job.trail.info("registered", f"inferred table {claim.table}: {claim.product} is {registered.version} now")
    return registered


def _archive(job: Job, checked: _Checked, registered: Registered) -> bool:
    """Moves a right file to raw; False if it is no longer the file that was checked."""
    lake, load, verdict = job.lake, job.claim.load, checked.verdict
    seconds = round(checked.seconds, 6)
    lake.ledger.advance(
        load, LoadStatus.CHECKED, rows_read=verdict.rows, schema_version=str(registered.version),
        timings={"check": seconds}, **_file_facts(job, verdict),
    )  # fmt: skip
    job.trail.info("checked", f"{verdict.rows} rows are right", rows=verdict.rows, seconds=seconds)
    started, key = time.perf_counter(), raw_key(job.claim)
    move_once(lake.store, job.where, key)
    # A move keeps the version where the store can; where it does not, the content tells.
    if lake.store.stat(key).version != checked.info.version and hash_object(lake.store, key) != verdict.content_hash:
        lake.catalogue.discard(load)
        job.trail.warn("checked", "the file was written to after its check; it is checked again")
        return False
    _note_archived(job, key, started)
    return True


def _note_archived(job: Job, key: str, started: float) -> None:
    seconds = round(time.perf_counter() - started, 6)
    job.lake.ledger.advance(job.claim.load, LoadStatus.ARCHIVED, timings={"archive": seconds})
    job.trail.info("archived", f"kept as {key}", seconds=seconds)


def _archive_plain(job: Job, registered: Registered) -> FileArchived:
    """A file of a files component: kept as it came, nothing else."""
    verdict, started = _scan_only(job), time.perf_counter()
    job.lake.ledger.advance(
        job.claim.load, LoadStatus.CHECKED, kind="file", bytes=verdict.size, content_hash=verdict.content_hash,
        schema_version=str(registered.version),
    )  # fmt: skip
    key = raw_key(job.claim)
    move_once(job.lake.store, job.where, key)
    _note_archived(job, key, started)
    return FileArchived(job.lake.ledger.get(job.claim.load))


def _scan_only(job: Job) -> Verdict:
    """Size and hash of the file, without a look at its rows."""
    from daap.csvtext.scan import scan_file  # noqa: PLC0415 - as in whereabouts

    with job.lake.store.open(job.where) as stream:
        scan = scan_file(stream, Dialect())
    return Verdict(0, scan.size, scan.content_hash)


def _bare_verdict(job: Job, error: DataError) -> Verdict:
    """The verdict on a file that was not read for its rows."""
    scanned = _scan_only(job)
    return Verdict(0, scanned.size, scanned.content_hash, (error,), {error.code: 1})


def _refuse(job: Job, verdict: Verdict, schema: TableSchema | None = None, seconds: float = 0.0) -> FileRefused:
    store = job.lake.store
    summary = write_report(store, job.receipt, verdict, job.lake.source(job.where), schema, job.lake.scratch)
    move_once(store, job.where, fail_key(job.claim))
    return _finish_refusal(job, verdict, summary, seconds)


def _refuse_withdrawn(job: Job) -> FileRefused:
    """The file was there, and has been taken out of landing by somebody else."""
    error = DataError(Code.FILE_WITHDRAWN, "the file to stay in landing until it is taken; it was removed")
    verdict = Verdict(0, 0, "", (error,), {error.code: 1})
    return _finish_refusal(job, verdict, write_report(job.lake.store, job.receipt, verdict, None, None))


def _finish_refusal(job: Job, verdict: Verdict, summary: ErrorSummary, seconds: float = 0.0) -> FileRefused:
    receipt = job.lake.ledger.advance(
        job.claim.load, LoadStatus.FAILED, errors=summary, rows_read=verdict.rows or None,
        timings={"check": round(seconds, 6)}, **_file_facts(job, verdict),
    )  # fmt: skip
    number = "1 error" if summary.total == 1 else f"{summary.total} errors"
    # Without any value from the file: the log stays when retention deletes the file and its report.
    job.trail.warn("failed", f"refused: {number} ({', '.join(summary.by_code)})", byCode=summary.by_code)
    return FileRefused(receipt)


def _file_facts(job: Job, verdict: Verdict) -> dict[str, Any]:
    engine = job.lake.engine
    return {
        "bytes": verdict.size,
        "content_hash": verdict.content_hash,
        "engine": EngineNote(name=engine.name, version=engine.version, path=verdict.path),
    }
