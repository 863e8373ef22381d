"""daap's own server of Athena, Glue and S3, for as long as a comparison lasts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from daap_local.athena.options import Options
from daap_local.athena.process import bind, make_server
from daap_local.athena.wiring import build


@contextmanager
def serving(options: Options) -> Iterator[str]:
    """daap's own Athena server in this process, on a free port, until the block ends; gives its address."""
    options.root.mkdir(parents=True, exist_ok=True)
    server = make_server(build(options))
    with bind(0) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), name="parity-athena", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
