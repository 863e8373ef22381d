"""The content of an object as a stream."""

from __future__ import annotations

import io
from typing import Any, BinaryIO, cast

from daap_cloud.faults import translated

_BUFFER = 1 << 20


def open_body(body: Any, what: str) -> BinaryIO:  # noqa: ANN401 - botocore's StreamingBody
    """A stream of what GetObject answered; what fails in `what` (`read raw/...`) is StoreUnavailable."""
    return cast(BinaryIO, io.BufferedReader(_Body(body, what), _BUFFER))


class _Body(io.RawIOBase):
    def __init__(self, body: Any, what: str) -> None:  # noqa: ANN401 - as above
        self._body, self._what = body, what

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        with translated(self._what):
            data = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()
