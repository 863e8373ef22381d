"""`daap-local athena`."""

from __future__ import annotations

from pathlib import Path

import click

from daap_local.athena.options import HOST, PORT, Options
from daap_local.cli.common import with_root

_EPILOG = """\b
Examples:
  daap-local athena                                        the lake from here up, as Athena, Glue and S3
  daap-local athena --memory 8GB --max-concurrent 2
  daap-local athena --glue-endpoint http://127.0.0.1:5000 --s3-endpoint http://127.0.0.1:5000

\b
Then, in another terminal, the lines that it prints, and for instance:
  aws athena list-databases --catalog-name AwsDataCatalog
"""


@click.command("athena", epilog=_EPILOG)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="The port; 0 takes a free one."
)
@click.option("--host", default=HOST, show_default=True, help="The address to listen on.")
@click.option("--allow-host", "names", metavar="NAME", multiple=True,
              help="A name by which clients in its network call it; repeatable.")  # fmt: skip
@click.option("--s3-endpoint", metavar="URL", help="Take the objects from there. Default: the lake's folders.")
@click.option("--glue-endpoint", metavar="URL", help="Take the catalogue from there. Default: its own.")
@click.option("--memory", default="4GB", show_default=True, help="What all queries together may use.")
@click.option("--threads", type=click.IntRange(1), help="Threads of one query. Default: all processors.")
@click.option("--max-concurrent", type=click.IntRange(1, 64), default=4, show_default=True,
              help="Queries at a time; more wait.")  # fmt: skip
@with_root
def command(
    root: Path, port: int, host: str, names: tuple[str, ...], s3_endpoint: str | None, glue_endpoint: str | None,
    memory: str, threads: int | None, max_concurrent: int,
) -> None:  # fmt: skip
    """Serve Athena's API over the lake, until Ctrl-C; to this machine alone, unless told otherwise.

    Without endpoints the lake's zones are S3 buckets to read, and its products Glue databases; what queries and
    clients make lies beside them in the folder 'athena'. With --s3-endpoint alone, the catalogue there begins empty
    and is served here. Signatures are not checked: any credentials will do, so keep it to networks you trust.
    """
    from daap_local.athena.execution.memory import parse_size
    from daap_local.athena.process import serve

    if glue_endpoint and not s3_endpoint:
        raise click.UsageError("--glue-endpoint needs --s3-endpoint: tables and their files lie in one place")
    options = Options(
        root, port, host, names, glue_endpoint, s3_endpoint, parse_size(memory), threads, max_concurrent
    )  # fmt: skip
    serve(options, lambda bound: click.echo(_describe(options, bound)))
    click.echo("Stopped.")


def _describe(options: Options, port: int) -> str:
    host = HOST if options.host == "0.0.0.0" else options.host  # noqa: S104 - told of, not listened on
    address = f"http://{host}:{port}"
    whole = not (options.s3_endpoint or options.glue_endpoint)
    lines = [f"Athena over {options.root} at {address} (Ctrl-C ends). For its clients:", ""]
    lines += [f"  export AWS_ENDPOINT_URL{'' if whole else '_ATHENA'}={address}"]
    if not whole:
        lines += [
            f"  export AWS_ENDPOINT_URL_GLUE={options.glue_endpoint or address}",
            f"  export AWS_ENDPOINT_URL_S3={options.s3_endpoint}",
        ]
    lines += ["  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1"]
    return "\n".join(lines)
