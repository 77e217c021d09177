# SPDX-License-Identifier: MIT
"""Draws the blocked commit of the demonstration: ``python -m demo.picture > docs/blocked.svg``."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from demo.demo import COMMIT, EDITED, MISTAKE, Demonstration

CODE = re.compile(r"\x1b\[([0-9;]*)m")
STYLES = {
    "1": "font-weight:bold",
    "2": "opacity:.6",
    "31": "fill:#ff7b72",
    "32": "fill:#7ee787",
    "41": "fill:#ff7b72;font-weight:bold",
}
COLUMNS, WIDTH, LINE, MARGIN = 140, 8.4, 18, 16


def main() -> int:
    """Run the demonstration up to the blocked commit, and print it as SVG."""
    with tempfile.TemporaryDirectory(prefix="kvm-export-hook-") as directory:
        demo = Demonstration(Path(directory))
        demo.prepare(quiet=True)
        with (demo.top / EDITED).open("a") as file:
            file.write(MISTAKE)
        said = subprocess.run(
            ["sh", "-c", COMMIT],
            cwd=demo.top,
            env=demo.environment | {"PRE_COMMIT_COLOR": "always"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        ).stdout.decode()
    sys.stdout.write(draw(f"$ {COMMIT}\n{said.rstrip()}"))
    return 0


def draw(text: str) -> str:
    """Draw TEXT, with the colours of a terminal, as SVG."""
    lines = [part for line in text.split("\n") for part in wrap(line)]
    width, height = round(COLUMNS * WIDTH) + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    rows = []
    for number, line in enumerate(lines, 1):
        row = MARGIN + number * LINE - 4
        rows.append(f'<text x="{MARGIN}" y="{row}" xml:space="preserve">{style_line(line)}</text>')
    style = "font:14px ui-monospace,monospace;fill:#e6edf3"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" style="{style}">\n'
        f"<title>A commit that the hook blocks</title>\n"
        f'<rect width="100%" height="100%" rx="8" fill="#0d1117" />\n'
        + "\n".join(rows)
        + "\n</svg>\n"
    )


def wrap(line: str) -> list[str]:
    """Break a LINE where a terminal would."""
    parts, column, last = [""], 0, 0
    for match in [*CODE.finditer(line), None]:
        for char in line[last : match.start() if match else None]:
            if column == COLUMNS:
                parts.append("")
                column = 0
            parts[-1] += char
            column += 1
        if match:
            parts[-1] += match[0]
            last = match.end()
    return parts


def style_line(line: str) -> str:
    """Turn the colour codes of LINE into spans."""
    pieces = CODE.split(line)
    spans = [escape(pieces[0])]
    for codes, text in zip(pieces[1::2], pieces[2::2], strict=True):
        style = ";".join(STYLES[code] for code in codes.split(";") if code in STYLES)
        spans.append(f'<tspan style="{style}">{escape(text)}</tspan>' if style else escape(text))
    return "".join(spans)


if __name__ == "__main__":
    raise SystemExit(main())
