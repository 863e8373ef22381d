"""`python -m daap_local.cloud.probe URL`: whether Athena answers there; the health check of its container."""

from __future__ import annotations

import sys
import urllib.request

_SECONDS = 4.0


def athena_request(url: str) -> urllib.request.Request:
    """A call that Athena answers once it is up: the list of work groups."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url} is no address")
    return urllib.request.Request(url, b"{}", {"X-Amz-Target": "AmazonAthena.ListWorkGroups"})  # noqa: S310 - as above


def main() -> None:
    """Ends with an error unless it does."""
    with urllib.request.urlopen(athena_request(sys.argv[1]), timeout=_SECONDS):  # noqa: S310 - an address, as checked
        pass


if __name__ == "__main__":
    main()
