"""The template as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from daap_cloud.deploy.faults import DeployFailed

ROOT = Path(__file__).parents[3]
"""The project's folder, where this is run from one."""

_PLACES = (Path(__file__).parent / "template.yaml", ROOT / "cloud" / "template.yaml")


class _Loader(yaml.SafeLoader):
    """Reads `!Ref`, `!Sub` and the like as what they are short for."""


def _read_short(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.MappingNode):
        value: Any = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = node.value
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _read_short)


def find_template() -> Path:
    """Where the template lies; raises DeployFailed."""
    for place in _PLACES:
        if place.exists():
            return place
    raise DeployFailed("cloud/template.yaml is not here; run this from a checkout of the project")


def parse_template(text: str) -> dict[str, Any]:
    """A template with its short forms written out."""
    document: dict[str, Any] = yaml.load(text, _Loader)  # noqa: S506 - a safe loader, with plain data for its tags
    return document
