"""Types of the names that `mpcd` loads lazily: annotations are seen as the values they stand for."""

from typing import Any, Generic, TypeVar

from mpcd.errors import UsageError as UsageError
from mpcd.lang.annotations import Dimension as Dim
from mpcd.lang.annotations import Table as Table
from mpcd.lang.functions import count as count
from mpcd.lang.functions import dot as dot
from mpcd.lang.functions import maximum as maximum
from mpcd.lang.functions import minimum as minimum
from mpcd.lang.functions import reveal as reveal
from mpcd.lang.functions import where as where
from mpcd.lang.loading import load_program as load_program
from mpcd.lang.tracing import program as program
from mpcd.lang.values import Value

__all__ = [
    "Bool",
    "Dim",
    "Int",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "Matrix",
    "Order",
    "Public",
    "Secret",
    "Table",
    "UInt8",
    "UInt16",
    "UInt32",
    "UsageError",
    "Vector",
    "__version__",
    "count",
    "dot",
    "load_program",
    "maximum",
    "minimum",
    "program",
    "reveal",
    "where",
]

__version__: str

_T = TypeVar("_T")

class Bool(Value): ...
class UInt8(Value): ...
class UInt16(Value): ...
class UInt32(Value): ...
class Int8(Value): ...
class Int16(Value): ...
class Int32(Value): ...
class Int64(Value): ...
class Order(Value): ...
class Vector(Value, Generic[_T]): ...
class Matrix(Value, Generic[_T]): ...
class Secret(Value, Generic[_T]): ...
class Public(Value, Generic[_T]): ...

def Int(low: int, high: int) -> Any: ...  # noqa: N802
