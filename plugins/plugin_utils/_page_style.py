# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages for people have in common: colours, type, and how texts of others come in. Decides nothing.

A verdict is a sign and a word; its colour only helps. On paper a page is always light.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Optional

import jinja2
from markupsafe import Markup

# Teal and vermilion differ in lightness too, so that they stay apart for those who see no red or no green.
STYLE = Markup("""
:root { color-scheme: light; --paper: #fbfbf9; --card: #ffffff; --ink: #1d2125; --quiet: #586069; --line: #d8dbd6;
  --soft: #f0f1ee; --good: #0a6650; --bad: #a82a08; --unsure: #735000; --other: #3f4f8f; }
@media screen and (prefers-color-scheme: dark) { :root { color-scheme: dark; --paper: #14171a; --card: #1b1f23;
  --ink: #e7e9eb; --quiet: #a7afb7; --line: #3a4148; --soft: #23282d; --good: #63d0b0; --bad: #ff9d7e;
  --unsure: #ecc25e; --other: #a9b8f5; } }
@media (forced-colors: active) { :root { --paper: Canvas; --card: Canvas; --ink: CanvasText; --quiet: CanvasText;
  --line: CanvasText; --soft: Canvas; --good: CanvasText; --bad: CanvasText; --unsure: CanvasText;
  --other: CanvasText; } }
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; max-width: 64rem; margin: 0 auto;
  padding: 2rem 1rem 3rem; background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
code { font: .9em ui-monospace, "Cascadia Mono", Consolas, monospace; }
dl { display: grid; grid-template-columns: minmax(8rem, max-content) minmax(0, 1fr); gap: .25rem 1.5rem;
  margin: 1rem 0; }
dt { font-weight: 600; } dd { margin: 0; } ul { margin: 0; padding-left: 1.2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .8rem .4rem 0; text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-weight: 600; }
[data-verdict] { white-space: normal; font-weight: 600; }
[data-verdict="good"] { color: var(--good); } [data-verdict="bad"] { color: var(--bad); }
[data-verdict="unsure"] { color: var(--unsure); } [data-verdict="other"] { color: var(--other); }
:focus-visible { outline: 3px solid var(--other); outline-offset: 2px; }
@media (max-width: 40rem) { dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd { margin-bottom: .5rem; } }
@media print { html { font-size: 10pt; } body { max-width: none; padding: 0; } tr, .whole { break-inside: avoid; }
  h2 { break-after: avoid; } }
""")

_TAMED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_MARKS_IN_A_ROW = 4  # of combining signs; more would paint over the lines above and below


def tame(text: str) -> str:
    """The text with each character that is not seen, or that turns others round, as ``\\u202e`` and the like."""
    if text.isascii() and text.isprintable():
        return text
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        hidden = character not in "\n\t" and unicodedata.category(character) in _TAMED
        kept.append(f"\\u{ord(character):04x}" if hidden or marks > _MARKS_IN_A_ROW else character)
    return "".join(kept)


def environment(templates: Optional[Mapping[str, str]] = None) -> jinja2.Environment:
    """Templates in which every text is tamed and escaped, and what is missing is empty."""
    made = jinja2.Environment(
        loader=jinja2.DictLoader(templates or {}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,
        finalize=_finalized,
    )
    made.globals["style"] = STYLE
    return made


def _finalized(value: object) -> object:
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return tame(value)
