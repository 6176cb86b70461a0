"""The generated code is what the proto files give, all of it is in the package, and it parses in C."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from google.protobuf.internal import api_implementation

ROOT = Path(__file__).parents[2]
PROTOS = sorted((ROOT / "proto/mpcd/v1").glob("*.proto"))
SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")


def test_regenerating_gives_the_committed_bytes(tmp_path: Path) -> None:
    """The same call as `make proto`."""
    command = [sys.executable, "-m", "grpc_tools.protoc", "-Impcd/_pb/v1=proto/mpcd/v1"]
    command += [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    command += [f"mpcd/_pb/v1/{proto.name}" for proto in PROTOS]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    made = {path.name: path.read_bytes() for path in (tmp_path / "mpcd/_pb/v1").iterdir()}
    committed = {p.name: p.read_bytes() for p in (ROOT / "mpcd/_pb/v1").glob("*_pb2*")}
    assert set(made) == {proto.stem + suffix for proto in PROTOS for suffix in SUFFIXES}
    assert made == committed


def test_the_wheel_contains_it(tmp_path: Path) -> None:
    builder = pytest.importorskip("hatchling.builders.wheel")
    (wheel,) = builder.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = set(zipfile.ZipFile(wheel).namelist())
    for proto in PROTOS:
        assert {f"mpcd/_pb/v1/{proto.stem}{suffix}" for suffix in SUFFIXES} <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_messages_are_parsed_in_c() -> None:
    """The pure-Python parser has no limit on nesting and is many times slower."""
    assert api_implementation.Type() == "upb"
