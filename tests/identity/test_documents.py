"""The strict YAML reader: what it refuses, where, and that nothing is guessed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mpcd.errors import ConfigError, NotFoundError
from mpcd.identity.documents import MAX_BYTES, compose, load, loads
from mpcd.identity.units import Integer, Seconds, Size, Strict


class Inner(Strict):
    width: Integer = 1
    label: str = ""


class Round(Strict):
    kind: Literal["round"]
    radius: Integer


class Square(Strict):
    kind: Literal["square"]
    side: Integer


class Sample(Strict):
    name: str
    wait: Seconds = 1.0
    room: Size = 1
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()
    named: dict[str, Inner] = Field(default_factory=dict)
    shape: Annotated[Round | Square, Field(discriminator="kind")] | None = None
    flag: bool = False
    word: str | None = None


def read(text: str) -> Sample:
    return loads(text, Sample, source="f.yaml")


def test_scalars_stay_text_until_the_model_converts_them() -> None:
    """`safe_load` would read 10:30 as 630 and no as False."""
    for text in ("10:30", "no", "0x1F", "1e3", "2026-11-22", "null", "~", "012", "1_000"):
        assert read(f"name: {text}").name == text
    assert read("name: a\nwait: 250ms").wait == 0.25
    assert read("name: a\nwait: 1.5h").wait == 5400
    assert read("name: a\nroom: 4MiB").room == 4 << 20
    assert read("name: a\nflag: true").flag is True
    assert read("name: a\nword:\n").word is None
    assert read("name: a\nword: ''\n").word == ""
    assert read("name: a\nshape: {kind: square, side: 2}").shape == Square(kind="square", side=2)


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("name: a\nname: b", "2:1", "the key 'name' occurs twice"),
        ("name: a\ninner: {width: 1, width: 2}", "2:19", "the key 'width' occurs twice"),
        ("name: &x a", "1:7", "an anchor"),
        ("name: a\nword: *x", "2:7", "an alias|undefined alias"),
        ("name: !!str a", "1:7", "a tag"),
        ("name: !python/object:os.system a", "1:7", "a tag"),
        ("name: a\ninner: !!map {}", "2:8", "a tag"),
        ("%YAML 1.1\n---\nname: a", "1:1", "directive"),
        ("name: a\n---\nname: b", "2:1", "a second document"),
        ("<<: {name: a}", "1:1", "unknown key '<<'"),
        ("? [a]\n: b", "1:3", "a key must be a word"),
        ("name: [", "1:8", "malformed YAML"),
        ("name: a\n\tword: b", "2:1", "malformed YAML"),
        ("name: 'a", "1:", "malformed YAML"),
        ('name: "\\UFFFFFFFF"', "", "malformed YAML"),
        ('name: "\\ud800"', "", "malformed YAML"),
        ('"\\ud800": 1', "", "malformed YAML"),
        ("name: \x00", "", "malformed YAML"),
        ("", "", "the document is empty"),
        ("# nothing", "", "the document is empty"),
        ("just text", "1:1", "a block of keys is expected"),
        ("- a", "1:1", "a block of keys is expected"),
        ("name:", "1:6", "name: a value is missing"),
        ("name: {}", "1:7", "name: should be a valid string"),
        ("wait: 1s", "1:1", "the key 'name' is missing"),
        ("name: a\nnmae: b", "2:1", r"unknown key 'nmae' \(did you mean 'name'\?\)"),
        ("name: a\ninner:\n  widht: 2", "3:3", r"unknown key 'widht' in inner \(did you mean 'width'\?\)"),
        ("name: a\nmany:\n  - label: x\n  - wide: 2", "4:5", r"in many\[1\] \(did you mean 'width'\?\)"),
        ("name: a\nnamed:\n  x: {lable: y}", "3:7", r"in named.x \(did you mean 'label'\?\)"),
        (
            "name: a\nshape: {kind: round, side: 2}",
            "2:8",
            r"'radius' is missing(?s:.)*2:22: unknown key 'side'",
        ),
        ("name: a\nshape: {kind: rond, side: 2}", "2:8", r"'rond' is not possible.*did you mean 'round'"),
        ("name: a\nshape: {side: 2}", "2:8", "the key 'kind' is missing"),
        ("name: a\nxyzzy: 2", "2:1", r"unknown key 'xyzzy' \(known: flag, inner"),
        ("name: a\nwait: 60", "2:7", "wait: should be a duration with its unit"),
        ("name: a\nwait: -1s", "2:7", "wait: should be a duration"),
        ("name: a\nwait: nan", "2:7", "wait: should be a duration"),
        ("name: a\nroom: 4MB", "2:7", "room: should be a size with its unit"),
        ("name: a\ninner: {width: 1.5}", "2:16", "inner.width: should be a whole number"),
        ("name: a\ninner: {width: '٣'}", "2:16", "should be a whole number"),
        ("name: a\nflag: maybe", "2:7", "flag: should be a valid boolean"),
        ("name: a\nmany: x", "2:7", "many: should be a valid tuple"),
        ("name: " + "[" * 40, "1:", "nested deeper|malformed"),
        ("name: " + "[" * 40 + "]" * 40, "1:", "nested deeper than 16"),
    ],
)
def test_what_is_refused_and_where(text: str, where: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read(text)
    assert str(caught.value).startswith(f"f.yaml:{where}" if where else "f.yaml"), str(caught.value)


def test_a_billion_laughs_and_a_long_list_end_early() -> None:
    with pytest.raises(ConfigError, match="anchor"):
        read("a: &a [x, x]\nb: &b [*a, *a]\n")
    with pytest.raises(ConfigError, match="more than 50000 values"):
        compose("[" + "x," * 60_000 + "]", source="f")
    with pytest.raises(ConfigError, match="longer than"):
        compose("#" * (MAX_BYTES + 1), source="f")


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    with pytest.raises(NotFoundError, match="no such file"):
        load(path, Sample)
    with pytest.raises(ConfigError, match="cannot read"):
        load(tmp_path, Sample)
    path.write_bytes(b"\xef\xbb\xbfname: a\r\n")
    assert load(path, Sample).name == "a"
    path.write_bytes(b"name: \xff")
    with pytest.raises(ConfigError, match=r"not UTF-8 .byte 6"):
        load(path, Sample)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="larger than"):
        load(path, Sample)


def test_all_mistakes_come_at_once_in_order() -> None:
    with pytest.raises(ConfigError) as caught:
        read("wait: 5\nname: {}\nroom: x")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines] == ["1", "2", "3"]


@given(st.text(max_size=200) | st.text(alphabet="name:\n -[]{}'\"&*!%#|>?,\t0", max_size=80))
def test_any_text_parses_or_raises(text: str) -> None:
    with suppress(ConfigError):
        assert isinstance(read(text).name, str)
