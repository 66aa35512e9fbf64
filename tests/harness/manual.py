"""The commands of the manual, so that a test runs what a reader would type."""
import pathlib
import re

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def shell_block(page, mark):
    """The one block of shell on this page of docs/ that contains `mark`."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    found = [block for block in blocks if mark in block]
    assert len(found) == 1, f"{len(found)} blocks of {page} contain {mark!r}"
    return found[0]


def replaced(text, replacements):
    """With each key replaced; all must occur."""
    for old, new in replacements.items():
        assert old in text, f"no {old!r} in {text!r}"
        text = text.replace(old, str(new))
    return text
