"""Private inputs: what is read, and that no complaint tells a value."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mpcd.data import csv
from mpcd.data.csv import Table, check_unchanged, read
from mpcd.errors import DataError
from mpcd.identity.config import Column, Source

NOBODY = 65534
SECRET = "98765"  # stands in every file below; no message may contain it


def source(path: Path, *names: str, low: int = 0, high: int = 100_000, max_rows: int = 100) -> Source:
    columns = {name: Column(min=low, max=high) for name in names or ("bid",)}
    return Source(file=str(path), columns=columns, max_rows=max_rows)


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "bids.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        f"bid\n{SECRET}\n12\n",
        f"bid\r\n{SECRET}\r\n12\r\n",
        f"bid\n{SECRET}\n12",
        f"\ufeffbid\n{SECRET}\n12\n",
        f'"bid"\n"{SECRET}"\n"12"\n',
        f"name, bid\nx,{SECRET}\ny,12\n",
        f'bid,name\n{SECRET},"a ""b"", c"\n12,\n',
        f"bid\n000{SECRET}\n0012\n",
    ],
)
def test_columns_are_read(tmp_path: Path, content: str) -> None:
    table = read(source(write(tmp_path, content)))
    column = table.columns["bid"]
    assert column.dtype == np.int64
    assert column.flags.c_contiguous
    np.testing.assert_array_equal(column, [int(SECRET), 12])
    assert table.rows == 2


def test_several_columns_negative_numbers_and_the_limits_of_the_range(tmp_path: Path) -> None:
    low, high = -(1 << 63), (1 << 63) - 1
    table = read(source(write(tmp_path, f"a,b\n{low},1\n{high},2\n"), "b", "a", low=low, high=high))
    assert list(table.columns) == ["b", "a"]
    np.testing.assert_array_equal(table.columns["a"], np.array([low, high]))


BAD = [
    ("", "the file is empty"),
    ("bid\n", "no rows"),
    (f"{SECRET}\n", "no rows"),
    (f"{SECRET}\n{SECRET}\n", ":1: the column 'bid' is missing in the header"),
    (f"prize\n{SECRET}\n", ":1: the column 'bid' is missing in the header"),
    (f"name;bid\nx;{SECRET}\n", "the column 'bid' is missing"),
    (f"bid,bid\n{SECRET},{SECRET}\n", "occurs twice"),
    (f"bid\n{SECRET}\n\n", ":3: the row has 0 fields, the header 1"),
    (f"bid,x\n{SECRET},1\n{SECRET}\n", ":3: the row has 1 fields, the header 2"),
    (f"bid,x\n{SECRET},1\n,1\n", ":3:bid: the cell is empty"),
    (f"bid\n1\n-{SECRET}\n", r":3:bid: the number is outside its range \[0, 100000\]"),
    (f"bid\n{SECRET}0\n", ":2:bid: the number is outside"),
    (f"bid\n{SECRET}{SECRET}{SECRET}{SECRET}\n", ":2:bid: the cell is not a whole number"),
    (f"bid\n9{SECRET}99999999999999\n".replace("\n9", "\n"), ":2:bid: the (cell|number) is"),
    (f"bid\n{SECRET}.0\n", ":2:bid: the cell is not a whole number"),
    (f"bid\n{SECRET}e1\n", "not a whole number"),
    (f"bid\n {SECRET}\n", "not a whole number"),
    (f"bid\n+{SECRET}\n", "not a whole number"),
    ("bid\n98_765\n", "not a whole number"),
    ("bid\n٩٨٧٦٥\n", "not a whole number"),
    ("bid\nNaN\n", "not a whole number"),
    ("bid\n0x98765\n", "not a whole number"),
    (f"bid\n'{SECRET}'\n", "not a whole number"),
    (f"bid\nsecret{SECRET}\n", "not a whole number"),
    (f'bid\n"{SECRET}\n12\n', "quote is out of place"),
    (f'bid\n"{SECRET}"x\n', "quote is out of place"),
    (f'bid,t\n{SECRET},"a\nb"\n', "over several lines"),
    (f"bid\n{SECRET}\n".encode("utf-16"), "UTF-16"),
    (f"bid\n{SECRET}".encode() + b"\xff\n", ":2: not UTF-8"),
    (f"bid\n{SECRET}".encode() + b"\x00\n", "not a whole number|quote"),
    (f"bid\n{'1' * 70_000}{SECRET}\n", ":2: the line exceeds"),
    ("bid\n" + f"{SECRET}\n" * 101, "the file has 101 rows, at most 100"),
    (f"bid\n1\r{SECRET}\n", "not CSV|not a whole number|over several|at most"),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_bad_files_are_refused_without_telling_a_value(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read(source(path))
    # As a log would print it, with every exception of the chain that is not suppressed.
    told = "".join(traceback.format_exception(caught.value))
    assert SECRET not in told
    assert str(path) in str(caught.value)


def test_a_missing_file_a_folder_and_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(source(tmp_path / "none.csv"))
    with pytest.raises(DataError, match="cannot read"):
        read(source(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="ordinary file"):
        read(source(tmp_path / "pipe"))
    with pytest.raises(DataError, match="unusable"):
        read(Source(file="a\0b", columns={"a": Column(min=0, max=1)}))


def _as_nobody(folder: Path, body: Callable[[], None]) -> int:
    """The exit code of a child that runs `body` in a folder without root's rights; root reads everything."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        os.chdir(folder)
        if os.geteuid() == 0:
            os.setegid(NOBODY)
            os.seteuid(NOBODY)
        body()
    except BaseException:  # noqa: BLE001  the child must not go on with the tests
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = write(tmp_path, "bid\n1\n")
    tmp_path.chmod(0o755)

    def body() -> None:
        with pytest.raises(DataError, match="Permission denied"):
            read(source(Path(path.name)))

    path.chmod(0)
    assert _as_nobody(tmp_path, body) == 0
    path.chmod(0o644)
    assert _as_nobody(tmp_path, body) == 1, "it is the mode that matters"


def test_a_file_beyond_the_size_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv, "MAX_FILE_BYTES", 10)
    with pytest.raises(DataError, match="larger than 10 bytes"):
        read(source(write(tmp_path, "bid\n1234567\n")))


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "bid\n1\n")
    real = os.fstat
    asked: list[int] = []

    def fstat(handle: int) -> os.stat_result:
        status = real(handle)
        if not asked:
            asked.append(handle)
            os.utime(path, ns=(1, 1))
        return status

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(DataError, match="changed while it was read"):
        read(source(path))


def test_the_job_bounds_the_rows(tmp_path: Path) -> None:
    """Two rows where the job asks for one bid."""
    path = write(tmp_path, f"bid\n{SECRET}\n12\n")
    with pytest.raises(DataError, match="2 rows, at most 1"):
        read(source(path), at_most=1)
    assert read(source(path), at_most=2).rows == 2


def test_changed_data_is_noticed(tmp_path: Path) -> None:
    key, job = bytes(32), b"job"
    path = write(tmp_path, "bid\n1\n2\n")
    table = read(source(path))
    digest = table.digest(key, job)
    write(tmp_path, "bid,name\n1,x\n2,y\n")
    check_unchanged(str(path), read(source(path)), key, job, digest)
    write(tmp_path, "bid\n2\n1\n")
    with pytest.raises(DataError, match="changed after this party consented"):
        check_unchanged(str(path), read(source(path)), key, job, digest)


def test_the_digest_depends_on_key_job_and_names() -> None:
    table = Table({"a": np.array([1, 2])}, 2)
    renamed = Table({"b": np.array([1, 2])}, 2)
    digests = {
        table.digest(bytes(32), b"1"),
        table.digest(bytes(31) + b"1", b"1"),
        table.digest(bytes(32), b"2"),
        renamed.digest(bytes(32), b"1"),
    }
    assert len(digests) == 4


def test_a_table_prints_no_values() -> None:
    assert SECRET not in repr(Table({"a": np.array([int(SECRET)])}, 1))


@given(values=st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
def test_all_64_bit_integers_come_back(tmp_path: Path, values: list[int]) -> None:
    path = write(tmp_path, "bid\n" + "".join(f"{value}\n" for value in values))
    table = read(source(path, low=-(1 << 63), high=(1 << 63) - 1))
    np.testing.assert_array_equal(table.columns["bid"], np.array(values, dtype=np.int64))


@given(content=st.binary(max_size=80) | st.text(alphabet='bid,\n\r"0123456789-. ', max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_file_is_read_or_refused(tmp_path: Path, content: str | bytes) -> None:
    prefix: str | bytes = "bid\n" if isinstance(content, str) else b"bid\n"
    path = write(tmp_path, prefix + content)  # type: ignore[operator]
    try:
        table = read(source(path))
    except DataError:
        return
    assert 1 <= table.rows <= 100
    assert all(0 <= value <= 100_000 for value in table.columns["bid"])
