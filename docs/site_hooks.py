"""What the documentation site takes from the code, so that it cannot say something else."""

import re
from pathlib import Path
from typing import Any

from vitpanel.cli import app
from vitpanel.state.selection import Selection
from vitpanel.state.url import FIELDS

# Files of the repository that are no pages of the site are named, not linked.
_OUTSIDE = re.compile(r"\[([^]]+)\]\((?:\.\./)+([^)#]+)\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Fill in what stands for the command line and the fields of the address."""
    markdown = markdown.replace("<!-- commands -->", commands())
    markdown = markdown.replace("<!-- fields -->", fields())
    depth = len(Path(page.file.src_uri).parents) - 1
    return _OUTSIDE.sub(r"`\2`", markdown) if depth == 0 else markdown


def commands() -> str:
    """Every command with its options, as its help has them; the site has a table of contents of its own."""
    _, _, described = app.generate_docs().partition("\n## vitpanel ")
    return f"## vitpanel {described}"


def fields() -> str:
    """Table of what the address of a page can say."""
    rows = [f"| `{name}` | {_inline(Selection.param[name].doc)} |" for name in FIELDS]
    return "\n".join(["| field | meaning |", "|---|---|", *rows])


def _inline(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
