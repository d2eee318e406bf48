# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables and pictures out of series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from tools.bench.group import Group
from tools.bench.measure import Series
from tools.bench.samples import Spread, spread, times_as_fast
from tools.bench.targets import table as table_of_targets
from tools.bench.wanted import TARGETS

WIDTH, ROW, LEFT = 760, 26, 330  # of a picture, in its own units


@dataclass(frozen=True)
class Result:
    """A group that was measured."""

    group: Group
    series: Sequence[Series]

    @property
    def base(self) -> Series:
        """What the others are held against."""
        return next(one for one in self.series if one.name == self.group.base)


def table(result: Result) -> str:
    """The group as a table in Markdown."""
    lines = [
        f"### {result.group.title}",
        "",
        f"| command | seconds | MB/s | times as fast as {result.group.base} | CPU seconds | peak MiB | archive MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in result.series:
        seconds = spread([sample.seconds for sample in one.samples])
        ratio = times_as_fast(one.samples, result.base.samples)
        cpu = spread([sample.cpu for sample in one.samples]).middle
        peak = max(sample.peak for sample in one.samples) >> 20
        size = one.samples[-1].size
        cells = (
            one.name,
            told(seconds),
            f"{result.group.bytes / 1e6 / seconds.middle:,.0f}" if result.group.bytes else "",
            told(ratio),
            f"{cpu:.2f}",
            str(peak),
            f"{size / 1e6:,.2f}" if size else "",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def told(one: Spread) -> str:
    """The middle, with the least and the greatest."""
    return f"{one.middle:.2f} ({one.least:.2f} to {one.greatest:.2f})"


def picture(result: Result) -> str:
    """The ratios as bars, an SVG that reads in light and in dark."""
    ratios = [(one.name, times_as_fast(one.samples, result.base.samples).middle) for one in result.series]
    most = max(ratio for _name, ratio in ratios)
    height = ROW * len(ratios) + 10
    style = (
        "<style>text{font:13px sans-serif;fill:#222}rect{fill:#7a8ca3}.ours{fill:#0b6e4f}"
        "@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>"
    )
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-label="{escape(result.group.title)}">'
        ),
        style,
    ]
    for number, (name, ratio) in enumerate(ratios):
        top = ROW * number + 5
        width = (WIDTH - LEFT - 70) * ratio / most
        kind = ' class="ours"' if name.startswith("ours") else ""
        parts.append(f'<text x="{LEFT - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect{kind} x="{LEFT}" y="{top + 2}" width="{width:.1f}" height="{ROW - 8}"/>')
        parts.append(f'<text x="{LEFT + width + 6:.1f}" y="{top + 15}">{ratio:.2f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def write(docs: Path, results: Sequence[Result], *, about: str, machine: str, count: int) -> None:
    """The page and its pictures."""
    pictures = docs / "benchmarks"
    pictures.mkdir(exist_ok=True)
    head = (
        "# Benchmarks\n\n<!-- Written by `make bench`. Do not edit. -->\n\n"
        f"One run of `make bench` on {machine}. The corpus: {about}. Each command ran once in each of {count} rounds, "
        "in an order that was drawn anew; medians, with the least and the greatest; ratios are of pairs of the same "
        "round. Every archive was held against the corpus: each file with its size and CRC-32, and none besides.\n"
    )
    judged = table_of_targets(TARGETS, {result.group.name: result.series for result in results})
    body = ["## What was to be reached\n", judged, "## What was measured\n"]
    for result in results:
        (pictures / f"{result.group.name}.svg").write_text(picture(result), encoding="utf-8")
        body += [table(result), f"![{result.group.title}](benchmarks/{result.group.name}.svg)", ""]
    (docs / "benchmarks.md").write_text("\n".join([head, *body]), encoding="utf-8")
