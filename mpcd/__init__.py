"""Secure multi-party computation as a service that an organisation can run.

The names for writing programs are loaded when they are first used: `import mpcd as mpc`, then
`@mpc.program`, `mpc.Vector[mpc.UInt32]`, `mpc.reveal(...)`. Their types for checkers are in `__init__.pyi`.
"""

import sys
from importlib import import_module
from types import ModuleType

__version__ = "0.1.0"

_EXPORTS = {
    "Bool": ("mpcd.lang.annotations", "Bool"),
    "Dim": ("mpcd.lang.annotations", "Dimension"),
    "Int": ("mpcd.lang.annotations", "Int"),
    "Int8": ("mpcd.lang.annotations", "Int8"),
    "Int16": ("mpcd.lang.annotations", "Int16"),
    "Int32": ("mpcd.lang.annotations", "Int32"),
    "Int64": ("mpcd.lang.annotations", "Int64"),
    "Matrix": ("mpcd.lang.annotations", "Matrix"),
    "Order": ("mpcd.lang.annotations", "Order"),
    "Public": ("mpcd.lang.annotations", "Public"),
    "Secret": ("mpcd.lang.annotations", "Secret"),
    "Table": ("mpcd.lang.annotations", "Table"),
    "UInt8": ("mpcd.lang.annotations", "UInt8"),
    "UInt16": ("mpcd.lang.annotations", "UInt16"),
    "UInt32": ("mpcd.lang.annotations", "UInt32"),
    "UsageError": ("mpcd.errors", "UsageError"),
    "Vector": ("mpcd.lang.annotations", "Vector"),
    "count": ("mpcd.lang.functions", "count"),
    "dot": ("mpcd.lang.functions", "dot"),
    "load_program": ("mpcd.lang.loading", "load_program"),
    "maximum": ("mpcd.lang.functions", "maximum"),
    "minimum": ("mpcd.lang.functions", "minimum"),
    "reveal": ("mpcd.lang.functions", "reveal"),
    "where": ("mpcd.lang.functions", "where"),
}

__all__ = ["__version__", "program", *_EXPORTS]


def __getattr__(name: str) -> object:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'mpcd' has no attribute {name!r}")
    module, attribute = _EXPORTS[name]
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


class _Root(ModuleType):
    """This module. Its `program` is the decorator, whether or not the package `mpcd.program` is loaded.

    The import system sets a loaded package as an attribute of its parent; a property that ignores this keeps
    the name for the users. The package is imported from as always: `from mpcd.program.text import parse`.
    """

    @property
    def program(self) -> object:
        from mpcd.lang.tracing import program

        return program

    @program.setter
    def program(self, _package: ModuleType) -> None:
        """Leave the name to the decorator."""


sys.modules[__name__].__class__ = _Root
