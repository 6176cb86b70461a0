"""From a pydantic error to one sentence at a line and column, with a suggestion where one is near."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from mpcd.identity.documents import Node

Place = tuple[int, int]


def complaint(model: type[BaseModel], root: Node, fault: ErrorDetails) -> tuple[Place, str]:
    """Where a fault is, as (line, column), and what is wrong there."""
    kind, loc = fault["type"], list(fault["loc"])
    node, shapes, path = root, [model], ""
    if kind in ("extra_forbidden", "missing"):
        key = str(loc.pop())
        node, shapes, path = _walk(root, model, loc)
        names = sorted({name for shape in shapes for name in _keys(shape)})
        if kind == "missing":
            return node.mark, f"the key {key!r} is missing{_inside(path)}"
        content = node.content if isinstance(node.content, dict) else {}
        place = content[key].key_mark if key in content else node.mark
        return place, f"unknown key {key!r}{_inside(path)}{did_you_mean(key, names)}"
    node, shapes, path = _walk(root, model, loc)
    sentence = _sentence(fault, node)
    # A rule about a whole block begins with the key it is about.
    key = sentence.partition(":")[0]
    if isinstance(node.content, dict) and key in node.content:
        return node.content[key].key_mark, f"{path}.{sentence}" if path else sentence
    return node.mark, f"{path}: {sentence}" if path else sentence


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """ " (did you mean 'x'?)" for the nearest known word, or the known ones if they are few, or nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f" (known: {', '.join(known)})" if 0 < len(known) <= 12 else ""


def _sentence(fault: ErrorDetails, node: Node) -> str:
    context: Mapping[str, Any] = fault.get("ctx") or {}
    if fault["type"] == "value_error":
        return str(context["error"])
    if fault["type"] in ("literal_error", "union_tag_invalid"):
        text = context.get("expected") or context.get("expected_tags") or ""
        known = re.findall(r"'([^']*)'", str(text))
        given = str(context.get("tag", fault["input"]))[:40]
        return f"{given!r} is not possible here; it is one of {', '.join(known)}" + _near(given, known)
    if fault["type"] == "union_tag_not_found":
        return f"the key {str(context.get('discriminator', 'kind')).strip(chr(39))!r} is missing"
    if fault["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "a block of keys is expected here"
    if node.content is None:
        return "a value is missing"
    message = fault["msg"].replace("Input should be", "should be")
    return message[:1].lower() + message[1:]


def _near(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _inside(path: str) -> str:
    return f" in {path}" if path else ""


def _walk(
    root: Node, model: type[BaseModel], loc: Sequence[int | str]
) -> tuple[Node, list[type[BaseModel]], str]:
    """Follow a pydantic location through the document and the models side by side."""
    node, types, path = root, [model], ""
    shapes: list[Any] = list(types)
    for item in loc:
        content = node.content
        if isinstance(item, int) and isinstance(content, list) and item < len(content):
            node, path = content[item], f"{path}[{item}]"
        elif isinstance(item, str) and isinstance(content, dict) and item in content:
            node, path = content[item], f"{path}.{item}" if path else item
        else:
            # The tag of a union, or a validator's own name: it narrows the type and is not in the file.
            shapes = [shape for shape in shapes if _has_tag(shape, str(item))] or shapes
            continue
        shapes = [inner for shape in shapes for inner in _child(shape, item)]
    return node, [shape for shape in shapes if _is_model(shape)], path


def _child(shape: Any, item: int | str) -> Iterator[Any]:
    if _is_model(shape):
        for name, field in shape.model_fields.items():
            if item in (name, field.alias):
                yield from _members(field.annotation)
    elif get_origin(shape) is dict:
        yield from _members(get_args(shape)[1])
    elif get_origin(shape) in (list, tuple):
        yield from _members(get_args(shape)[0])


def _members(annotation: Any) -> Iterator[Any]:
    """The alternatives of an annotation: unions opened, Annotated taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for part in get_args(annotation):
            yield from _members(part)
    else:
        yield annotation


def _keys(shape: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in shape.model_fields.items()]


def _has_tag(shape: Any, tag: str) -> bool:
    if not _is_model(shape):
        return False
    kinds = [field.annotation for name, field in shape.model_fields.items() if name == "kind"]
    return any(get_origin(kind) is Literal and tag in get_args(kind) for kind in kinds)


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, BaseModel)
