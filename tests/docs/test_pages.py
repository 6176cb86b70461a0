"""The documentation is about this repository: links, paths, sections, tags and numbers in it are right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mpcd.protocols.rep4 import costs

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("docs/**/*.md"), ROOT / "README.md"])
CODE = sorted([*ROOT.glob("mpcd/**/*.py"), *ROOT.glob("tests/**/*.py")])
SPECS = {name: ROOT / f"docs/protocols/{name}.md" for name in ("rep4", "rep3", "agreement")}

_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_PATH = re.compile(r"`((?!mpcd/v\d+`)(?:mpcd|tests)/[\w./]*)(?:::\w+)?`")
"""Not `mpcd/v1`, the version of a file."""
_TEST = re.compile(r"`(tests/[\w./]*)::(\w+)`")
_REFERENCE = re.compile(r"Spec (\w+) ((?:\d+(?:\.\d+)?)(?:, \d+(?:\.\d+)?)*)")
_TAG = re.compile(r"(?<![\w\])])\[([A-Z][A-Za-z]{1,3}|[0-9]{4}/[0-9]+)\](?![\[(\w])")


def _text(page: Path) -> str:
    return _FENCE.sub("", page.read_text())


def _anchors(page: Path) -> set[str]:
    """The anchors that a page has, as the usual renderers make them from its headings."""
    headings = _HEADING.findall(_text(page))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _broken(page: Path) -> Iterator[str]:
    for target in _LINK.findall(_text(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert list(_broken(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_of_code_exists(page: Path) -> None:
    assert [path for path in _PATH.findall(_text(page)) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = _TEST.findall(_text(page))
    assert [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text()] == []


def test_every_promise_of_the_security_model_names_its_tests() -> None:
    text = (ROOT / "docs/security-model.md").read_text()
    properties = re.split(
        r"^\*\*", text.partition("## The five properties")[2].partition("\n## ")[0], flags=re.M
    )
    promises = [part for part in properties[1:] if not part.startswith("Guaranteed output")]
    assert len(promises) == 4
    assert all(_TEST.findall(part) for part in promises)


def test_the_checks_above_can_fail(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](#one) [b](#two) [c](gone.md) [d](https://example.org/x) `mpcd/gone.py`\n")
    assert list(_broken(page)) == ["#two", "gone.md"]
    assert _PATH.findall(page.read_text()) == ["mpcd/gone.py"]


# -- references of the code to the specifications ----------------------------------------------------


def _sections(spec: str) -> set[str]:
    """`4` for a heading, `4.2` for a paragraph that begins so."""
    text = SPECS[spec].read_text()
    chapters = re.findall(r"^## (\d+) ", text, re.MULTILINE)
    return {*chapters, *re.findall(r"^\*\*(\d+\.\d+)", text, re.MULTILINE)}


def test_every_reference_of_the_code_to_a_specification_is_to_a_section_of_it() -> None:
    found: list[tuple[str, str]] = []
    for file in CODE:
        for spec, numbers in _REFERENCE.findall(file.read_text()):
            found += [(spec, number) for number in numbers.split(", ")]
    assert found
    assert [place for place in found if place[0] not in SPECS or place[1] not in _sections(place[0])] == []


@pytest.mark.parametrize("spec", SPECS)
def test_sections_are_numbered_without_gaps(spec: str) -> None:
    text = SPECS[spec].read_text()
    numbers = re.findall(r"^(?:## |\*\*)(\d+)(?:\.(\d+))?", text, re.MULTILINE)
    chapter, paragraph = 0, 0
    for major, minor in numbers:
        chapter, paragraph = (chapter, paragraph + 1) if minor else (chapter + 1, 0)
        assert (int(major), int(minor or 0)) == (chapter, paragraph)


def test_every_tag_in_the_code_is_expanded() -> None:
    listed = set(re.findall(r"^\| \[([^\]]+)\] \|", (ROOT / "docs/papers.md").read_text(), re.MULTILINE))
    used = {tag for file in CODE for doc in _docstrings(file) for tag in _TAG.findall(doc)}
    assert used == listed


def _docstrings(file: Path) -> list[str]:
    return [] if file == Path(__file__) else re.findall(r'""".*?"""', file.read_text(), re.DOTALL)


# -- numbers -----------------------------------------------------------------------------------------

SIZES = (1, 64, 64_000)


def _number(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def _row(operation: str) -> str:
    few, some, many = (costs.cost(operation, n) for n in SIZES)
    totals = [_number(cost.total_bytes) for cost in (few, some, many)]
    shares = [f"{many.total_bytes / SIZES[2] / 4:.2f}", f"{many.busiest_bytes / SIZES[2]:.2f}"]
    return "| " + " | ".join([f"`{operation}`", str(few.rounds), *totals, *shares]) + " |"


def test_the_cost_table_of_rep4_is_that_of_the_code() -> None:
    text = SPECS["rep4"].read_text()
    table = text.partition("**10.1")[2].partition("**10.2")[0]
    assert re.findall(r"^\| `.*$", table, re.MULTILINE) == [_row(name) for name in costs._OPERATIONS]


@pytest.mark.parametrize(
    "operation", ["negative", "less_than", "less_than_full", "range_check", "equal", "to_binary"]
)
def test_the_rounds_of_comparisons_add_up_to_their_cost(operation: str) -> None:
    """The second table of section 10, in words of one plane."""
    text = SPECS["rep4"].read_text().partition("**10.2")[2].partition("**10.3")[0]
    (line,) = [line for line in text.splitlines() if line.startswith("| `") and f"`{operation}`" in line]
    cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
    rounds = words = 0
    for cell in filter(None, cells):
        level = re.search(r"\(([\d, ]+)\)", cell)
        summands = [int(n) for n in level[1].split(", ")] if level else [1]
        factor = 1
        for n in re.findall(r"\d+", re.sub(r"\(.*?\)", "", cell)):
            factor *= int(n)
        rounds += len(summands)
        words += factor * sum(summands)
    expected = costs.cost(operation, 64)
    assert (rounds, 8 * words) == (expected.rounds, expected.total_bytes)
