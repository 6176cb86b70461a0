"""docs/programs.md shows the program that there is."""

from __future__ import annotations

import re
from pathlib import Path

from mpcd.apps.auction import second_price
from mpcd.lang.loading import load_program

PAGE = (Path(__file__).parents[2] / "docs" / "programs.md").read_text()


def test_the_source_on_the_page_gives_the_text_on_the_page(tmp_path: Path) -> None:
    source = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    text = re.search(r"```\n(mpcd program 1\n.*?)```", PAGE, re.DOTALL)
    assert source
    assert text
    file = tmp_path / "page.py"
    file.write_text(source[1])
    assert load_program(file).canonical == text[1].encode() == second_price.canonical
