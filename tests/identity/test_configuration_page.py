"""docs/configuration.md lists every key of every file, with its true default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from mpcd.identity.config import CoordinatorConfig, PartyConfig
from mpcd.identity.roster import RosterDocument

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see below"
    if value in ((), {}, None):
        return "none"
    return f"`{float(value):g}`" if isinstance(value, float) else f"`{value}`"


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted key and default of every leaf; `[]` for list items, `<name>` for free names."""
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        inner = list(_models(field.annotation))
        if not inner:
            yield key, _default(field)
            continue
        origin = get_origin(field.annotation)
        mark = ".<name>" if origin is dict else "[]" if origin in (list, tuple) else ""
        for found in inner:
            yield from keys(found, f"{key}{mark}.")


def _section(title: str) -> dict[str, str]:
    text = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([^`]+)` \|[^\n]*\| ([^|\n]+) \|$", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("title", "model"),
    [("party.yaml", PartyConfig), ("coordinator.yaml", CoordinatorConfig), ("roster.yaml", RosterDocument)],
)
def test_the_page_lists_exactly_the_keys_there_are(title: str, model: type[BaseModel]) -> None:
    assert _section(title) == dict(keys(model))


@pytest.mark.parametrize("model", [PartyConfig, CoordinatorConfig])
def test_every_key_is_read_somewhere(model: type[BaseModel]) -> None:
    """A key without effect would be a promise that nothing keeps."""
    package = Path(__file__).parents[2] / "mpcd"
    code = "".join(
        p.read_text() for p in package.rglob("*.py") if "_pb" not in p.parts and p.name != "config.py"
    )
    leaves = {re.sub(r"\[\]|<name>", "", key).split(".")[-1] for key, _ in keys(model)}
    accepted = {leaf for leaf in leaves if not re.search(rf"\.{leaf}\b", code)}
    assert accepted == {"apiVersion"}
