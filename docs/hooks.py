"""What MkDocs runs beside the pages: it puts Markdown files of the repository into them, and tidies roles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

#: A line ``{{ files: results/*.md }}`` becomes the files that match, or says that there is none.
FILES = re.compile(r"^\{\{ files: (?P<pattern>\S+) \}\}$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)[^)]*\)")
IMAGE = re.compile(r"!\[[^\]]*\]\((?!https?:)[^)]*\)\n?")
HEADING = re.compile(r"^(#{1,5} )", re.MULTILINE)
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
#: Sphinx's roles in docstrings: only the name is shown.
ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):<code>~?")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in the files that a page asks for."""
    return FILES.sub(lambda found: _files(found["pattern"]), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Leave out the names of roles."""
    return ROLE.sub("<code>", html)


def _files(pattern: str) -> str:
    found = sorted(ROOT.glob(pattern))
    if not found:
        return "*There is none yet.*"
    return "\n\n".join(_included(path.read_text(encoding="utf-8")) for path in found)


def _included(text: str) -> str:
    """One level down, and without links and images whose target is no page; code stays as it is."""
    parts = FENCED.split(text)
    for index in range(0, len(parts), 2):
        parts[index] = LINK.sub(r"\1", IMAGE.sub("", HEADING.sub(r"#\1", parts[index])))
    return "".join(parts).strip()
