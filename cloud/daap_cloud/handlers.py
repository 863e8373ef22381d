"""What Lambda calls. Each handler turns its event into a call of the core, and what goes wrong into what is done next.

An error that is raised is a retry, and then the dead-letter queue, with the load in its text; whatever is returned is
done with. What a warm Lambda keeps from one call to the next is made by its first call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from daap.errors import DaapError, InvalidName, NotRegistered, Unauthenticated
from daap_cloud.events import ObjectEvent, read_event
from daap_cloud.wiring import Deployment, open_deployment

if TYPE_CHECKING:
    from mangum import Mangum

    from daap.model.events import Outcome
    from daap_cloud.upkeep import Progress

Event = Mapping[str, Any]
Answer = dict[str, Any]

_SPARE_MILLISECONDS = 180_000
"""What the last load may still take when a long piece of work stops to be gone on with."""


class HandlerFailed(Exception):
    """The work could not be done now. Lambda tries again, and keeps the event with these words if that is no use."""


@cache
def deployment() -> Deployment:
    """What the Lambda works with."""
    return open_deployment()


def landing_to_raw(event: Event, _context: object) -> Answer:
    """A file has come to landing: it is checked, and kept in raw or fail."""
    from daap.model.events import FileLanded  # noqa: PLC0415
    from daap.pipeline.halves import land_alone  # noqa: PLC0415

    def land(key: str, seen: ObjectEvent) -> Outcome:
        return land_alone(FileLanded(key, seen.actor), deployment().lake)

    return _take(event, land)


def athena_load(event: Event, _context: object) -> Answer:
    """A file has come to raw: its snapshot is made and published."""
    from daap.pipeline.halves import curate_alone  # noqa: PLC0415

    return _take(event, lambda key, seen: curate_alone(key, deployment().lake, seen.actor))


def _take(event: Event, work: Callable[[str, ObjectEvent], Outcome]) -> Answer:
    """Does the work on the file that an event is about. A file that lies out of place stays there, and is told of."""
    key = "an event"
    try:
        seen = read_event(event, quoted=deployment().settings.quoted_events)
        key = deployment().store.key_of(seen.bucket, seen.name)
        return _describe(key, work(key, seen))
    except InvalidName as error:
        _warn(key, error)
        return {"key": key, "outcome": "out_of_place", "error": str(error)}
    except DaapError as error:
        raise HandlerFailed(f"{_name_load(key)}: {type(error).__name__}: {error}") from None


def _name_load(key: str) -> str:
    """A load by its id where the key tells it, else the key."""
    from daap.model.keys import Upload, read_landing  # noqa: PLC0415

    try:
        place = read_landing(f"landing/{key.partition('/')[2]}")
    except InvalidName:
        return key
    return f"load {place.load}" if isinstance(place, Upload) else key


def _describe(key: str, outcome: Outcome) -> Answer:
    from daap.model.events import NothingToDo  # noqa: PLC0415

    if isinstance(outcome, NothingToDo):
        return {"key": key, "outcome": "nothing_to_do"}
    receipt = outcome.receipt
    return {"key": key, "outcome": str(receipt.status), "load": str(receipt.load)}


def _warn(key: str, error: DaapError) -> None:
    from daap.pipeline.audit import audited  # noqa: PLC0415
    from daap_cloud.wiring import print_event  # noqa: PLC0415

    with audited(deployment().store, print_event, key=key) as trail:
        trail.warn("out_of_place", str(error))


@cache
def _gateway() -> Mangum:
    from mangum import Mangum  # noqa: PLC0415

    from daap.api.app import create_app  # noqa: PLC0415

    app = create_app(deployment().backend)
    if stage := deployment().settings.stage:
        app.servers = [{"url": f"/{stage}"}]
    return Mangum(app, lifespan="off")


def api(event: Event, context: Any) -> Answer:  # noqa: ANN401 - Lambda's own context
    """A call of the API, from API Gateway."""
    return _gateway()(dict(event), context)


def authorizer(event: Event, _context: object) -> Answer:
    """Whether a call of the API may go through."""
    from daap_cloud.authorizer import answer_call  # noqa: PLC0415

    try:
        return answer_call(event, deployment().authenticator, _find_owner)
    except Unauthenticated:
        # Just this text makes API Gateway answer 401.
        raise Exception("Unauthorized") from None
    except DaapError as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        raise HandlerFailed("whether the call may go through cannot be told now") from None


def _find_owner(product: str) -> str | None:
    try:
        return deployment().registry.read_any(product).registered.product.data_product_owner
    except (NotRegistered, InvalidName):
        return None


def reload(event: Event, context: Any) -> Answer:  # noqa: ANN401 - Lambda's own context
    """Curated is made anew from raw, for a product or one table of it."""
    from daap_cloud.upkeep import read_request, run_reload  # noqa: PLC0415

    return _keep_up(event, context, lambda has_time: run_reload(deployment().lake, read_request(event), has_time))


def resync(event: Event, context: Any) -> Answer:  # noqa: ANN401 - Lambda's own context
    """What no event came for, or what was cut short, is found and brought to its end; of one product, or of all."""
    from daap_cloud.upkeep import read_request, run_sweep  # noqa: PLC0415

    def work(has_time: Callable[[], bool]) -> Progress:
        request = read_request(event)
        if request.product is None and request.after is None:
            deployment().engine.athena.tidy()
        return run_sweep("resync", deployment().lake, request, has_time)

    return _keep_up(event, context, work)


def retention(event: Event, context: Any) -> Answer:  # noqa: ANN401 - Lambda's own context
    """What is older than its product's retention period is deleted; of one product, or of all."""
    from daap_cloud.upkeep import read_request, run_sweep  # noqa: PLC0415

    return _keep_up(
        event, context, lambda has_time: run_sweep("retention", deployment().lake, read_request(event), has_time)
    )


def push_to_catalogue(event: Event, _context: object) -> Answer:
    """A product was registered, changed or deleted: the other catalogue is told what is so now."""
    from daap.pipeline.publish import push_product  # noqa: PLC0415
    from daap_cloud.publishing import named_product  # noqa: PLC0415

    name = "a product"
    try:
        seen = read_event(event, quoted=deployment().settings.quoted_events)
        key = deployment().store.key_of(seen.bucket, seen.name)
        product = named_product(key)
        if product is None:
            return {"key": key, "outcome": "out_of_place"}
        name = product
        push = push_product(deployment().lake, product)
    except InvalidName as error:
        return {"key": name, "outcome": "out_of_place", "error": str(error)}
    except DaapError as error:
        raise HandlerFailed(f"catalogue of {name}: {type(error).__name__}: {error}") from None
    if push and push.state == "failed":
        raise HandlerFailed(f"catalogue of {name}: {push.error}")
    return {"product": product, "outcome": push.state if push else "no_catalogue", "version": push and push.version}


def _keep_up(event: Event, context: Any, work: Callable[[Callable[[], bool]], Progress]) -> Answer:  # noqa: ANN401
    """Does long work until time runs short, and then calls the Lambda again to go on."""
    from daap_cloud.deferral import invoke_event  # noqa: PLC0415

    try:
        progress = work(lambda: context.get_remaining_time_in_millis() > _SPARE_MILLISECONDS)
        for text in progress.failed:
            sys.stdout.write(f"could not be done: {text}\n")
        if progress.after is not None:
            invoke_event(deployment().clients.functions, context.function_name, {**event, "after": progress.after})
    except DaapError as error:
        raise HandlerFailed(f"{type(error).__name__}: {error}") from None
    return {"done": len(progress.done), "failed": list(progress.failed), "after": progress.after}
