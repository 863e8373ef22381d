"""Request bodies of S3: plain, or cut into chunks as AWS's clients do it, with checksums behind.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from daap_local.athena.api.s3_xml import S3Fault

_BLOCK = 1 << 20
_MOST_HEADER = 4096
_MOST_DRAINED = 64 << 20


class ChunkDecoder:
    """Takes pieces of a body in `aws-chunked` form, and gives the content in them."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = 0
        self._ended = False

    def feed(self, data: bytes) -> bytes:
        """The content that is whole by now."""
        self._buffer += data
        out = bytearray()
        while not self._ended and self._step(out):
            pass
        return bytes(out)

    def _step(self, out: bytearray) -> bool:
        if self._left:
            return self._take(out)
        return self._read_size()

    def _take(self, out: bytearray) -> bool:
        """A piece of the chunk's content, of which two characters of line end are the last."""
        piece = self._buffer[: self._left]
        if not piece:
            return False
        content = max(0, min(len(piece), self._left - 2))
        out += piece[:content]
        del self._buffer[: len(piece)]
        self._left -= len(piece)
        return True

    def _read_size(self) -> bool:
        line, mark, _ = self._buffer.partition(b"\r\n")
        if not mark:
            if len(self._buffer) > _MOST_HEADER:
                raise S3Fault("IncompleteBody", "a chunk of the body has no size")
            return False
        del self._buffer[: len(line) + 2]
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            raise S3Fault("IncompleteBody", "a chunk of the body has no size") from None
        self._ended, self._left = size == 0, size + 2 if size else 0
        return True

    @property
    def whole(self) -> bool:
        """Whether the last chunk has come."""
        return self._ended


def is_chunked(request: Request) -> bool:
    """Whether a body is in `aws-chunked` form."""
    encoded = "aws-chunked" in request.headers.get("content-encoding", "")
    return encoded or request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")


async def _content(request: Request) -> AsyncIterator[bytes]:
    if not is_chunked(request):
        async for data in request.stream():
            yield data
        return
    decoder = ChunkDecoder()
    async for data in request.stream():
        yield decoder.feed(data)
    if not decoder.whole:
        raise S3Fault(
            "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length header"
        )


async def save_body(request: Request, stream: BinaryIO) -> str:
    """Writes a request's content to a stream, and returns its MD5; raises BadDigest where the request says another."""
    digest = hashlib.md5(usedforsecurity=False)
    block = bytearray()
    async for data in _content(request):
        digest.update(data)
        block += data
        if len(block) >= _BLOCK:
            await run_in_threadpool(stream.write, bytes(block))
            block.clear()
    await run_in_threadpool(stream.write, bytes(block))
    asked = request.headers.get("content-md5")
    if asked and asked != base64.b64encode(digest.digest()).decode():
        raise S3Fault("BadDigest", "The Content-MD5 you specified did not match what we received.")
    return digest.hexdigest()


async def drain(request: Request) -> bool:
    """Reads what is left of a refused request, so that the connection can be used again; false for too much of it."""
    left = _MOST_DRAINED
    try:
        async for data in request.stream():
            left -= len(data)
            if left < 0:
                return False
    except (RuntimeError, ClientDisconnect):  # it has been read already, or nobody is there any more
        return True
    return True


async def read_body(request: Request) -> bytes:
    """A small request's content."""
    return b"".join([data async for data in _content(request)])
