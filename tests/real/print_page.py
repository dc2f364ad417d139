"""Print anew what the code of docs/real_data.md prints: ``python tests/real/print_page.py FOLDER``.

After a change of words or numbers that is meant; the prose between the blocks is for people to check.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "real_data.md"
#: Code, and what it prints where it prints anything.
BLOCK = re.compile(r"^```py\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
WIDTH = 118


def folded(line: str) -> str:
    """A long line on several; a table is left as it is."""
    if len(line) <= WIDTH:
        return line.rstrip()
    return textwrap.fill(
        line, WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent=" " * 4
    )


def main(folder: Path) -> None:
    names: dict[str, object] = {"__name__": "docs", "folder": folder}

    def printed(found: re.Match[str]) -> str:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(found[1], PAGE.name, "exec"), names)
        text = "\n".join(folded(line) for line in out.getvalue().splitlines())
        return f"```py\n{found[1]}```\n" + (f"\n```text\n{text}\n```\n" if text else "")

    PAGE.write_text(BLOCK.sub(printed, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
