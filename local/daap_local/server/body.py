"""A request's body for a thread to read: the event loop reads ahead, as far as a few chunks.

Asking the loop for each chunk would have the two of them wait for each other, and take twice as long.
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator

from starlette.types import Receive

from daap_local.server.refusals import UploadRefused

IDLE_SECONDS = 60.0
"""How long a client may send nothing before its upload is given up."""

_AHEAD = 8
_RETURNED = _AHEAD // 2
"""After how many chunks the thread says that there is room again: a call to the loop each time would cost more."""

_END = b""


class BodyPump:
    """Carries chunks from the loop, which runs `fill`, to the thread, which iterates `chunks`."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._chunks: queue.SimpleQueue[bytes | UploadRefused] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(0)

    async def fill(self) -> None:
        """Reads the body to its end; however it ends, the thread is told and never left waiting."""
        last: bytes | UploadRefused = UploadRefused("IncompleteBody", "the server ends")
        try:
            await self._read_on()
            last = _END
        except UploadRefused as refused:
            last = refused
        finally:
            self._chunks.put(last)

    async def _read_on(self) -> None:
        more = True
        while more:
            await self._room.acquire()
            chunk, more = await self._next_chunk()
            if chunk:
                self._chunks.put(chunk)
            else:
                self._room.release()

    async def _next_chunk(self) -> tuple[bytes, bool]:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                message = await self._receive()
        except TimeoutError:
            raise UploadRefused("RequestTimeout", f"nothing came for {IDLE_SECONDS:.0f} seconds") from None
        if message["type"] == "http.disconnect":
            raise UploadRefused("IncompleteBody", "the client went away")
        return message.get("body", b""), message.get("more_body", False)

    def chunks(self) -> Iterator[bytes]:
        """The body's chunks, once; raises UploadRefused if it breaks off.

        Nothing is read before the first is asked for: a client that asks whether it may send waits until then.
        """
        self._loop.call_soon_threadsafe(self._make_room, _AHEAD)
        taken = 0
        while chunk := self._chunks.get():
            if isinstance(chunk, UploadRefused):
                raise chunk
            yield chunk
            taken += 1
            if taken % _RETURNED == 0:
                self._loop.call_soon_threadsafe(self._make_room, _RETURNED)

    def _make_room(self, chunks: int) -> None:
        for _ in range(chunks):
            self._room.release()
