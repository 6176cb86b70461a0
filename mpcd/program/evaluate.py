"""The cleartext evaluator: the trusted party that the protocols must imitate.

It defines what a program means and is the oracle of the tests and of `mpcd program test`. It is never
offered over a network.

It is given the rows that are computed on: a number out of its range is an error here. In a job such rows, and
those of owners who give nothing, are treated before the program runs, as the job says (`missing`): left out,
or replaced by the default row of the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mpcd.errors import DataError, UsageError
from mpcd.program.check import Checked
from mpcd.program.clear_rules import Array
from mpcd.program.ops import OPS
from mpcd.program.types import Type, lengths

Given = int | bool | Sequence[Any] | npt.NDArray[Any]
"""A value as a caller writes it: a number, a list, an array."""


def evaluate(
    checked: Checked, arguments: Mapping[str, Given], parameters: Mapping[str, Given]
) -> dict[str, Array]:
    """The outputs of the program on these inputs.

    Shapes  every result has the declared shape with the lengths of the inputs
    Raises  UsageError (DataError for inputs) for missing, unknown or ill-shaped values or such out of range
    """
    arrays = {**_named(checked.inputs, arguments), **_named(checked.parameters, parameters)}
    dims = dims_of({**checked.inputs, **checked.parameters}, arrays, checked.maxima)
    _check_values(checked, arrays, dims)
    values: list[Array] = []
    for position, node in enumerate(checked.program.nodes):
        types = [checked.types[v] for v in checked.results(position)]
        rule = OPS[node.op].clear
        if node.op == "constant":
            values.append(np.asarray(node.literal))
        elif rule is None:
            values.append(arrays[node.name])
        else:
            values.extend(rule([values[arg] for arg in node.args], types))
    return {name: values[value] for name, value in checked.program.outputs}


def public_values(
    checked: Checked, parameters: Mapping[str, Given], dims: Mapping[str, int]
) -> dict[str, Array]:
    """The checked arrays of the public parameters of a job.

    Raises  UsageError for missing, unknown or ill-shaped values or such out of range
    """
    arrays = _named(checked.parameters, parameters)
    for name, t in checked.parameters.items():
        check_value(name, t, arrays[name], dict(dims))
    return arrays


def _named(types: Mapping[str, Type], given: Mapping[str, Given]) -> dict[str, Array]:
    for name in types:
        if name not in given:
            raise UsageError(f"the argument {name} is missing")
    for name in given:
        if name not in types:
            raise UsageError(
                f"the program has no argument {name}", fix=f"it has {', '.join(types) or 'none'}"
            )
    return {name: _array(name, t, given[name]) for name, t in types.items()}


def _array(name: str, t: Type, given: Given) -> Array:
    fault = DataError if t.secret else UsageError
    try:
        array = np.asarray(given)
    except (ValueError, OverflowError):
        raise fault(f"{name} is not a regular array of numbers") from None
    if array.dtype.kind not in ("b" if t.kind == "bool" else "iu"):
        raise fault(f"{name} must hold {'truth values' if t.kind == 'bool' else '64-bit integers'} only")
    if array.dtype == np.uint64 and array.size and int(array.max()) >> 63:
        raise fault(f"{name} holds a number that is no 64-bit signed integer")
    return array if t.kind == "bool" else array.astype(np.intp if t.kind == "order" else np.int64)


def dims_of(
    types: Mapping[str, Type], arrays: Mapping[str, Array], maxima: Mapping[str, int]
) -> dict[str, int]:
    """Length of every named dimension, from the shapes of the arguments.

    Raises  UsageError if two arguments disagree or a length is not in 1..maximum
    """
    dims: dict[str, int] = {}
    source: dict[str, str] = {}
    for name, t in types.items():
        if len(t.shape) != arrays[name].ndim:
            raise UsageError(f"{name} has {arrays[name].ndim} dimensions instead of {len(t.shape)}")
        for dim, length in zip(t.shape, arrays[name].shape, strict=True):
            if isinstance(dim, str) and dims.setdefault(dim, length) != length:
                raise UsageError(
                    f"dimension {dim} has length {dims[dim]} in {source[dim]}, but {length} in {name}"
                )
            if isinstance(dim, str):
                source.setdefault(dim, name)
    check_dims(dims, maxima)
    return dims


def check_dims(dims: Mapping[str, int], maxima: Mapping[str, int]) -> None:
    """Raises UsageError unless every named dimension has a length in 1..maximum."""
    for name, most in maxima.items():
        if name not in dims:
            raise UsageError(f"the length of dimension {name} is not known")
        if not 1 <= dims[name] <= most:
            raise UsageError(f"dimension {name} has length {dims[name]}; possible is 1..{most}")
    for name in dims:
        if name not in maxima:
            raise UsageError(f"the program has no dimension {name}")


def _check_values(checked: Checked, arrays: Mapping[str, Array], dims: dict[str, int]) -> None:
    for name, t in {**checked.inputs, **checked.parameters}.items():
        check_value(name, t, arrays[name], dims)


def check_value(name: str, t: Type, array: Array, dims: dict[str, int]) -> None:
    """Raises UsageError (DataError for an input) unless shape and range are as declared."""
    fault = DataError if t.secret else UsageError
    if array.shape != lengths(t.shape, dims):
        raise fault(f"{name} has shape {array.shape} instead of {lengths(t.shape, dims)}")
    if t.kind == "int" and array.size and not (t.low <= int(array.min()) and int(array.max()) <= t.high):
        raise fault(f"{name} holds a number outside its range [{t.low}, {t.high}]")
    if t.kind == "order" and not np.array_equal(np.sort(array), np.arange(array.size)):
        raise fault(f"{name} must name every row from 0 to {array.size - 1} exactly once")
