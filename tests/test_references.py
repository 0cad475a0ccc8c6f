"""Every key that a docstring cites stands in the one bibliography, once."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENTRIES = re.findall(
    r"^- \*\*(\w+)\*\*", (ROOT / "docs" / "references.md").read_text(encoding="utf-8"), re.MULTILINE
)


def test_cited_keys_are_in_the_bibliography():
    for path in (ROOT / "src").rglob("*.py"):
        cited = re.findall(r"\[([A-Z]\w*\d{4}[a-z]?)\]_", path.read_text(encoding="utf-8"))
        assert set(cited) <= set(ENTRIES), path.name


def test_no_key_stands_twice():
    assert len(ENTRIES) == len(set(ENTRIES))
