"""The one reader of YAML files: strict, positioned, and without surprises.

Ordinary YAML loaders guess types (`10:30` becomes 630, `no` becomes False), keep the last of two equal keys
and expand aliases without limit. This one builds its tree from parser events: scalars stay text until a
pydantic model converts them; duplicate keys, anchors, aliases, tags, directives and second documents are
refused; size and depth are limited. Every complaint is a ConfigError at file:line:column.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from mpcd.errors import ConfigError, NotFoundError
from mpcd.identity.complaints import complaint

MAX_BYTES = 512 * 1024
MAX_DEPTH = 16
MAX_NODES = 50_000

Model = TypeVar("Model", bound=BaseModel)
Content = None | str | list["Node"] | dict[str, "Node"]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value and where it begins; `key_mark` is where its key begins, for a value in a mapping."""

    content: Content
    mark: tuple[int, int]
    key_mark: tuple[int, int]

    def plain(self) -> object:
        """The value without positions: None, str, list or dict."""
        if isinstance(self.content, dict):
            return {key: child.plain() for key, child in self.content.items()}
        if isinstance(self.content, list):
            return [child.plain() for child in self.content]
        return self.content


def load(path: Path, model: type[Model]) -> Model:
    """Read a YAML file as `model`.

    Raises    NotFoundError if there is no such file, ConfigError for everything that is wrong with it
    """
    return loads(read_text(path), model, source=str(path))


def loads(text: str, model: type[Model], *, source: str) -> Model:
    """Read YAML text as `model`; `source` is what messages call it.

    Raises    ConfigError, which lists every mistake the model finds, each with its position
    """
    root = compose(text, source=source)
    try:
        return model.model_validate(root.plain())
    except ValidationError as error:
        faults = [complaint(model, root, fault) for fault in error.errors(include_url=False)]
        places = [(f"{source}:{line}:{column}", what) for (line, column), what in sorted(faults)]
        others = "".join(f"\n{where}: {what}" for where, what in places[1:])
        raise ConfigError(places[0][1] + others, where=places[0][0]) from None


def read_text(path: Path, *, max_bytes: int = MAX_BYTES) -> str:
    """The text of a small UTF-8 file.

    Raises    NotFoundError if there is no such file, ConfigError if it is unreadable, too large or not UTF-8
    """
    try:
        with path.open("rb") as file:
            raw = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise NotFoundError("there is no such file", where=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot read the file: {error.strerror}", where=str(path)) from None
    if len(raw) > max_bytes:
        raise ConfigError(f"the file is larger than {max_bytes} bytes", where=str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the file is not UTF-8 (byte {error.start})", where=str(path)) from None


def compose(text: str, *, source: str) -> Node:
    """The tree of one YAML document.

    Raises    ConfigError for malformed YAML and for everything this reader refuses
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(f"the text is longer than {MAX_BYTES} characters", where=source)
    if yaml.__with_libyaml__:
        # Many times faster, same events; what it finds malformed is read again, for the position.
        with suppress(yaml.YAMLError, ValueError, OverflowError):
            return _composed(text, yaml.CSafeLoader, source)
    try:
        return _composed(text, yaml.SafeLoader, source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        what = error.problem or error.context or "cannot be read"
        raise ConfigError(f"malformed YAML: {what}", where=where) from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # The last two: an escape such as "\UFFFFFFFF" or "\ud800" that is no character.
        raise ConfigError("malformed YAML: a character that YAML does not allow", where=source) from None


def _composed(text: str, loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader], source: str) -> Node:
    return _Composer(_refuse_extras(yaml.parse(text, Loader=loader), source), source).document()


def _refuse_extras(events: Iterator[yaml.Event], source: str) -> Iterator[yaml.Event]:
    """Pass the events on, unless one uses a feature that configuration does not need."""
    documents = nodes = 0
    for event in events:
        refused = ""
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                refused = "a second document in one file"
            elif event.version or event.tags:
                refused = "a YAML directive"
        elif isinstance(event, yaml.AliasEvent):
            refused = "an alias (*name)"
        elif isinstance(event, yaml.NodeEvent):
            nodes += 1
            if event.anchor is not None:
                refused = "an anchor (&name)"
            elif getattr(event, "tag", None) is not None:
                refused = "a tag (!name)"
            elif nodes > MAX_NODES:
                refused = f"more than {MAX_NODES} values"
        if refused:
            raise ConfigError(f"{refused} is not allowed here", where=_where(source, event))
        yield event


class _Composer:
    """Builds nodes from events, one document deep."""

    def __init__(self, events: Iterator[yaml.Event], source: str) -> None:
        self._events = events
        self._source = source

    def document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, yaml.NodeEvent):
                root = self._node(event, 0, _mark(event))
        if root is None:
            raise ConfigError("the document is empty", where=self._source)
        return root

    def _node(self, event: yaml.Event, depth: int, key_mark: tuple[int, int]) -> Node:
        if depth > MAX_DEPTH:
            raise ConfigError(f"nested deeper than {MAX_DEPTH} levels", where=_where(self._source, event))
        mark = _mark(event)
        if isinstance(event, yaml.ScalarEvent):
            # An empty plain scalar ("key:") is the absence of a value, "''" is an empty text.
            content = None if event.value == "" and not event.style else _text(event)
            return Node(content, mark, key_mark)
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._sequence(depth), mark, key_mark)
        return Node(self._mapping(depth), mark, key_mark)

    def _sequence(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1, _mark(event)))
        return items

    def _mapping(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            where = _where(self._source, event)
            if not isinstance(event, yaml.ScalarEvent):
                raise ConfigError("a key must be a word", where=where)
            key = _text(event)
            if key in found:
                raise ConfigError(f"the key {key!r} occurs twice", where=where)
            found[key] = self._node(next(self._events), depth + 1, _mark(event))
        return found


def _text(event: yaml.ScalarEvent) -> str:
    text = str(event.value)
    text.encode()  # half of a surrogate pair raises a ValueError here
    return text


def _mark(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _where(source: str, event: yaml.Event) -> str:
    line, column = _mark(event)
    return f"{source}:{line}:{column}"
