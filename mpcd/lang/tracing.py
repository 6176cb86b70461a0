"""`@mpc.program`: from a Python function to a program.

The function runs once, on values that stand for the data, and what it does is recorded. That
happens only where the function's author is trusted: at the client. Daemons are given the recorded program.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast, overload

from mpcd.errors import UsageError
from mpcd.lang.annotations import DEFAULT_DIM, Annotation, Element, Order, Table, columns
from mpcd.lang.functions import Revealed
from mpcd.lang.position import of_traceback, refuse
from mpcd.lang.recorder import Recorder
from mpcd.lang.values import Value
from mpcd.program.check import Checked, check
from mpcd.program.clear_rules import Array
from mpcd.program.evaluate import Given, evaluate
from mpcd.program.text import program_hash, to_bytes

# What a mistake in the user's function may raise while it is traced.
MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    RecursionError,
    TypeError,
    ValueError,
)


class Definition:
    """A program as its author wrote it; it is traced when it is first asked for."""

    def __init__(self, function: Callable[..., Any], name: str | None = None) -> None:
        self.function = function
        self.name = name or function.__name__
        self.__doc__ = function.__doc__

    def __repr__(self) -> str:
        return f"<program {self.name}>"

    @property
    def where(self) -> str:
        """file:line of the function."""
        code = self.function.__code__
        return f"{code.co_filename}:{code.co_firstlineno}"

    @cached_property
    def checked(self) -> Checked:
        """The validated program.

        Raises  UsageError naming file and line
        """
        return trace(self)

    @property
    def canonical(self) -> bytes:
        """Its canonical bytes."""
        return to_bytes(self.checked.program)

    @property
    def hash(self) -> bytes:
        """SHA-256 that names it in jobs and approvals."""
        return program_hash(self.canonical)

    def evaluate(self, **arguments: Given) -> dict[str, Array]:
        """The outputs in clear, by the definition of every operation; arguments and parameters by name.

        A column of a table argument is named `argument.column`: pass those as `**{"left.age": [...]}`.
        """
        parameters = {name: v for name, v in arguments.items() if name in self.checked.parameters}
        inputs = {name: v for name, v in arguments.items() if name not in parameters}
        return evaluate(self.checked, inputs, parameters)

    def __call__(self, *_args: object, **_options: object) -> None:
        raise UsageError(
            f"the program {self.name} cannot be called like a function",
            where=self.where,
            fix="use .evaluate(...) to try it in clear, or submit a job",
        )


@overload
def program(function: Callable[..., Any], /) -> Definition: ...
@overload
def program(*, name: str) -> Callable[[Callable[..., Any]], Definition]: ...
def program(function: Callable[..., Any] | None = None, /, *, name: str | None = None) -> Any:
    """Declare a program: `@mpc.program` above a function whose arguments say their types."""
    if function is not None:
        return Definition(function)
    return lambda wrapped: Definition(wrapped, name)


def trace(definition: Definition) -> Checked:
    """Run the function on stand-ins and validate what it did."""
    recorder = Recorder()
    arguments = _declare(definition, recorder)
    filename = definition.function.__code__.co_filename
    try:
        result = definition.function(**arguments)
    except UsageError as error:
        error.where = error.where or definition.where
        raise
    except MISTAKES as error:
        raise UsageError(
            f"{type(error).__name__}: {error}",
            where=of_traceback(error.__traceback__, filename),
            fix="programs are made of the operations of mpcd; see `mpcd program --help`",
        ) from error
    if not isinstance(result, Revealed):
        raise UsageError(
            f"the program {definition.name} reveals nothing",
            where=definition.where,
            fix="return mpc.reveal(name=value, ...)",
        )
    outputs = [(name, value.number) for name, value in result.outputs]
    doc = " ".join((definition.function.__doc__ or "").split())
    recorded, lines = recorder.finish(definition.name, doc, outputs)
    try:
        return check(recorded, lambda position: lines[position])
    except UsageError as error:
        error.where = error.where or result.line
        raise


def _declare(definition: Definition, recorder: Recorder) -> dict[str, Any]:
    """The stand-ins for the arguments, by name."""
    annotations = _annotations(definition.function, definition.where)
    arguments: dict[str, Any] = {}
    for name in inspect.signature(definition.function).parameters:
        try:
            arguments[name] = _argument(name, annotations.get(name), recorder, definition.where)
        except UsageError as error:
            error.where = error.where or definition.where
            error.what = f"argument {name}: {error.what}"
            raise
    return arguments


def _annotations(owner: Any, where: str) -> dict[str, Any]:
    try:
        return inspect.get_annotations(owner, eval_str=True)
    except UsageError as error:
        error.where = where  # annotations kept as text have no line of their own
        raise
    except MISTAKES as error:
        raise UsageError(
            f"an annotation cannot be understood: {type(error).__name__}: {error}",
            where=where,
            fix="its names must be known at the top level of the file",
        ) from error


def _argument(name: str, given: Any, recorder: Recorder, where: str) -> Any:
    if isinstance(given, type) and issubclass(given, Table) and given is not Table:
        described = list(columns(given, _annotations(given, where)))
        return Row(name, {c: _stand_in(f"{name}.{c}", a, recorder, where) for c, a in described})
    if given is Order:
        given = Order.__class_getitem__(DEFAULT_DIM)
    if isinstance(given, Element):
        raise UsageError(
            "it is neither said to be secret nor public",
            fix="use mpc.Secret[...], mpc.Vector[...] or mpc.Public[...]",
        )
    if not isinstance(given, Annotation):
        raise UsageError("it has no type of mpcd", fix="for example: bids: mpc.Vector[mpc.UInt32]")
    return _stand_in(name, given, recorder, where)


def _stand_in(name: str, annotation: Annotation, recorder: Recorder, where: str) -> Value:
    for dim, most in annotation.maxima:
        if recorder.maxima.setdefault(dim, most) != most:
            raise UsageError(f"dimension {dim} is declared with two different maxima")
    op = "input" if annotation.type.secret else "parameter"
    return Value(recorder, recorder.declare(op, name, annotation.type, where))


class Row:
    """A table argument: its columns are attributes."""

    def __init__(self, name: str, values: dict[str, Value]) -> None:
        self._name = name
        self._values = values

    def __getattr__(self, column: str) -> Value:
        values = cast(dict[str, Value], self.__dict__.get("_values", {}))
        if column not in values:
            raise refuse(
                f"the table {self.__dict__.get('_name')} has no column {column}",
                fix=f"it has {', '.join(values)}",
            )
        return values[column]
