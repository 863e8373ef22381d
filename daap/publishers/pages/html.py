"""The pages as HTML: escaped, readable without styles or scripts, and without a request to anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

Product = Mapping[str, Any]
"""What the JSON beside a page holds."""

_STYLE = """
:root{--ink:#0b0c0c;--quiet:#505a5f;--line:#b1b4b6;--link:#1d5a9c;--paper:#fff;--band:#f3f2f1;--mark:#ffdd00}
*{box-sizing:border-box}
body{margin:0;color:var(--ink);background:var(--paper);font:1.0625rem/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
.skip{position:absolute;left:-999px}.skip:focus{left:0;padding:.5rem;background:var(--mark);color:#0b0c0c}
header,main,footer{padding:1rem max(1.25rem,(100% - 68rem)/2)}
header{border-bottom:.25rem solid var(--link)}header a{font-weight:700;text-decoration:none;color:inherit}
footer{border-top:1px solid var(--line);color:var(--quiet);font-size:.9375rem;margin-top:3rem}
h1{font-size:2rem;line-height:1.2;margin:1rem 0 .5rem}h2{font-size:1.5rem;margin:2.25rem 0 .75rem}
h3{font-size:1.1875rem;margin:1.75rem 0 .5rem}p{max-width:44rem}
h1,h2,h3,p,td,dd,li{overflow-wrap:anywhere}.text{white-space:pre-line}
a{color:var(--link)}a:focus-visible{outline:3px solid var(--mark);outline-offset:0;background:var(--mark);color:#0b0c0c}
td .tag{white-space:nowrap}.wide{overflow-x:auto}.wide:focus-visible{outline:3px solid var(--link)}
table{border-collapse:collapse;width:100%;font-size:1rem}
caption{text-align:left;color:var(--quiet);padding:.25rem 0 .5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem .5rem 0;border-bottom:1px solid var(--line)}
code{font:.9375rem/1.4 ui-monospace,"SF Mono",Menlo,Consolas,monospace}h2 code,h3 code{font-size:1em;font-weight:700}
th code,td code{white-space:nowrap}td.said{min-width:14rem}
dl{display:grid;grid-template-columns:minmax(8rem,14rem) 1fr;gap:.375rem 1rem;margin:1rem 0}
dt{font-weight:700}dd{margin:0}
.tag{display:inline-block;padding:0 .5rem;margin:0 .375rem .25rem 0;border:1px solid var(--line);background:var(--band);
font-size:.9375rem}.personal{border-color:#942514;color:#942514;background:#fcefed}
@media (max-width:40rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.75rem}}
@media (prefers-color-scheme:dark){:root{--ink:#f3f2f1;--quiet:#b1b4b6;--line:#505a5f;--link:#8ab8ec;--paper:#15181a;
--band:#272c2f}.personal{border-color:#f4a79b;color:#f4a79b;background:#3a1d19}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_index(products: Sequence[Product]) -> str:
    """The page that lists all products."""
    rows = "".join(map(_render_row, products))
    count = f"{len(products)} data product{'' if len(products) == 1 else 's'}"
    head = _row('th scope="col"', ("Name", "What it is", "Domain", "Owner", "Version", "Status"))
    listed = _table(count, head, rows) if products else "<p>There is no data product yet.</p>"
    return _page("Data products", f"<h1>Data products</h1>{listed}", home="index.html")


def _render_row(product: Product) -> str:
    named = f'<th scope="row"><a href="products/{escape(product["name"])}.html">{escape(product["name"])}</a></th>'
    metadata = product["metadata"]
    told = (
        (' class="said"', _cut(metadata["description"])), ("", metadata["domain"]),
        ("", metadata["dataProductOwnerDisplayName"]), ("", product["version"]), ("", metadata["status"]),
    )  # fmt: skip
    return f"<tr>{named}{''.join(f'<td{wide}>{escape(str(text))}</td>' for wide, text in told)}</tr>"


def _cut(text: str, most: int = 160) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def render_product(product: Product) -> str:
    """The page of one product."""
    metadata = product["metadata"]
    parts = (
        f'<h1>{escape(product["name"])}</h1><p class="text">{escape(metadata["description"])}</p>',
        _render_facts(product), _render_tags(metadata.get("tags", {})),
        *map(_render_database, reversed(product["databases"])), _render_files(product["files"]),
        f'<p><a href="{escape(product["name"])}.json">This page as JSON</a></p>',
    )  # fmt: skip
    return _page(product["name"], "".join(parts), home="../index.html")


def _render_facts(product: Product) -> str:
    metadata = product["metadata"]
    email = escape(metadata["email"])
    facts = {
        "Version": escape(product["version"]),
        "Status": escape(metadata["status"]), "Domain": escape(metadata["domain"]),
        "Owner": _render_person(metadata, "dataProductOwner"),
        "Maintainer": _render_person(metadata, "dataProductMaintainer"),
        "Contact": f'<a href="mailto:{email}">{email}</a>',
        "Kept for": f"{metadata['retentionPeriod']} days",
        "DPIA": "required" if metadata["dpiaRequired"] else "not required",
        "DPIA lies at": escape(metadata.get("dpiaLocation") or ""),
        "Registered": _render_time(product["creationDate"]), "Last changed": _render_time(product["lastUpdated"]),
    }  # fmt: skip
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{said}</dd>' for name, said in facts.items() if said)}</dl>"


def _render_person(metadata: Mapping[str, Any], field: str) -> str:
    name, shown = metadata.get(field), metadata.get(f"{field}DisplayName")
    if not name:
        return escape(shown or "")
    return escape(f"{shown} ({name})" if shown and shown != name else name)


def _render_time(text: str) -> str:
    return f'<time datetime="{escape(text)}">{escape(text[:16].replace("T", " "))} UTC</time>'


def _render_tags(tags: Mapping[str, str]) -> str:
    shown = "".join(
        f'<li class="tag">{escape(f"{key}: {value}" if value else key)}</li>' for key, value in tags.items()
    )
    return f'<h2>Tags</h2><ul style="list-style:none;padding:0">{shown}</ul>' if shown else ""


def _render_database(database: Mapping[str, Any]) -> str:
    state = "the current version" if database["current"] else "an earlier major version, to be read as before"
    tables = "".join(_render_table(database["name"], name, table) for name, table in database["tables"].items())
    named = f"<h2>Database <code>{escape(database['name'])}</code></h2><p>{escape(database['version'])}, {state}.</p>"
    return named + (tables or "<p>It has no tables.</p>")


def _render_table(database: str, name: str, table: Mapping[str, Any]) -> str:
    rows = "".join(map(_render_column, table["columns"]))
    head = _row('th scope="col"', ("Column", "Type", "Rules", "What it is"))
    said = f'<h3><code>{escape(name)}</code></h3><p class="text">{escape(table["tableDescription"])}</p>'
    query = f"SELECT * FROM {database}.{name}_latest"  # noqa: S608 - to be read, not run
    caption = f"Columns of {name}"
    return f"{said}<p>Its newest snapshot: <code>{escape(query)}</code></p>{_table(caption, head, rows)}"


def _render_column(column: Mapping[str, Any]) -> str:
    rules = " ".join((
        *(['<span class="tag">required</span>'] if column.get("required") else []),
        *(['<span class="tag personal">personal data</span>'] if column.get("personal") else []),
    ))  # fmt: skip
    name, type_, said = (escape(column.get(field, "")) for field in ("name", "type", "description"))
    cells = f'<td><code>{type_}</code></td><td>{rules}</td><td class="said">{said}</td>'
    return f'<tr><th scope="row"><code>{name}</code></th>{cells}</tr>'


def _render_files(files: Mapping[str, Any]) -> str:
    if not files:
        return ""
    items = "".join(
        f"<dt><code>{escape(name)}</code></dt><dd>{escape(one['description'])}</dd>" for name, one in files.items()
    )
    return f"<h2>Files</h2><dl>{items}</dl>"


def _row(cell: str, texts: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{cell}>{escape(text)}</th>' for text in texts)}</tr>"


def _table(caption: str, head: str, rows: str) -> str:
    """A table in a box that can be scrolled, by keys too."""
    label = escape(caption)
    box = f'<div class="wide" role="region" aria-label="{label}" tabindex="0">'
    return f"{box}<table><caption>{label}</caption><thead>{head}</thead><tbody>{rows}</tbody></table></div>"


def _page(title: str, main: str, home: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<title>{escape(title)} - daap</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head><body>'
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header><a href="{home}">Data catalogue</a></header><main id="main">{main}</main>'
        "<footer>Made by daap from what owners have registered.</footer></body></html>\n"
    )
