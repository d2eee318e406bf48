# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of every page, each as a function that returns what does not."""

from __future__ import annotations

import importlib.resources
from typing import Any

from playwright.sync_api import Page

AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

# What acts: a person must come to each of them with the keyboard alone.
ACTS = "a[href], button, input, select, textarea, summary, [tabindex]"
_SHOWN = """element => element.checkVisibility({visibilityProperty: true, contentVisibilityAuto: false})
  && !element.disabled && element.tabIndex >= 0"""

# Names what sticks out: of the page, or of a box that hides the rest. A box that scrolls shows all of it, but not on
# paper. What is one pixel wide is for those who listen.
_CUT = """paper => {
  const width = document.documentElement.clientWidth, found = [];
  const name = e => e.tagName.toLowerCase() + '.' + (e.getAttribute('class') ?? '') + ' "'
    + e.textContent.trim().slice(0, 40) + '"';
  const scrolls = e => { for (; e; e = e.parentElement)
    if (['auto', 'scroll'].includes(getComputedStyle(e).overflowX)) return true; return false; };
  for (const e of document.body.querySelectorAll('*')) {
    if (!e.checkVisibility() || e.ownerSVGElement) continue;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (box.width <= 1 || box.height <= 1) continue;
    if ((box.right > width + 1 || box.left < -1) && (paper || !scrolls(e))) found.push('sticks out: ' + name(e));
    if (style.overflowX === 'hidden' || style.overflowX === 'clip' || (paper && style.overflowX !== 'visible'))
      if (e.scrollWidth > e.clientWidth + 1 && e.tagName !== 'svg') found.push('cuts off: ' + name(e));
  }
  if (document.documentElement.scrollWidth > width + 1) found.push('the page scrolls sideways');
  return found.slice(0, 10);
}"""

_BROKEN = r"""() => {
  const found = [];
  for (const e of document.querySelectorAll('[data-verdict]')) {
    if (!e.checkVisibility()) continue;
    const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
    for (let text; (text = walk.nextNode());) for (const word of text.data.matchAll(/\b[a-z]{2,20}\b/gi)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) found.push(word[0]);
    }
  }
  return found.slice(0, 10);
}"""

_FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e), box = e.getBoundingClientRect();
  return {index: Number(e.dataset.reach ?? -1), name: e.outerHTML.slice(0, 80),
          drawn: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
          seen: box.width > 0 && box.height > 0};
}"""


def accessibility(page: Page) -> list[str]:
    """What axe finds."""
    if not page.evaluate("typeof window.axe === 'object'"):
        page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", list(RULES)
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:120]}: {node['failureSummary'][:300]}"
        for rule in found["violations"]
        for node in rule["nodes"][:3]
    ]


def cut_off(page: Page, *, paper: bool = False) -> list[str]:
    """What cannot be read because it does not fit."""
    found: list[str] = page.evaluate(_CUT, paper)
    return found


def broken_words(page: Page) -> list[str]:
    """Verdicts of which a word goes on in the next line; behind a hyphen it may, and where it is longer than any."""
    found: list[str] = page.evaluate(_BROKEN)
    return found


def out_of_reach(page: Page) -> list[str]:
    """What acts and is not reached with the tabulator, or is reached and does not show it."""
    wanted: int = page.evaluate(
        f"""selector => {{ let number = 0; const shown = {_SHOWN};
        for (const e of document.querySelectorAll(selector)) if (shown(e)) e.dataset.reach = number++;
        document.activeElement?.blur(); return number; }}""",
        ACTS,
    )
    reached, problems = set(), []
    for _press in range(wanted + 1):
        page.keyboard.press("Tab")
        at = page.evaluate(_FOCUS)
        if at is None:
            continue
        reached.add(at["index"])
        if not at["drawn"]:
            problems.append(f"has the focus and does not show it: {at['name']}")
        if not at["seen"]:
            problems.append(f"has the focus and is not seen: {at['name']}")
    lost = sorted(set(range(wanted)) - reached)
    return problems + [
        "cannot be reached: " + page.locator(f"[data-reach='{number}']").evaluate("e => e.outerHTML.slice(0, 120)")
        for number in lost
    ]


def shut_for_the_keyboard(page: Page) -> list[str]:
    """Details that the Enter key does not open and shut."""
    problems = []
    for summary in page.locator("summary").all()[:20]:
        if not summary.is_visible():
            continue
        before = summary.evaluate("e => e.parentElement.open")
        summary.press("Enter")
        if summary.evaluate("e => e.parentElement.open") == before:
            problems.append(summary.evaluate("e => e.outerHTML.slice(0, 120)"))
        summary.press("Enter")
    return problems


def coloured_only(page: Page) -> list[str]:
    """Verdicts that are not told by a sign and a word, or not by a sign of their own."""
    shown: list[list[str]] = page.eval_on_selector_all(
        "[data-verdict]",
        "all => all.filter(e => e.checkVisibility()).map(e => [e.dataset.verdict, e.textContent.trim()])",
    )
    problems = []
    signs: dict[str, str] = {}
    for kind, text in shown:
        sign, _space, word = text.partition(" ")
        if not word.strip() or len(sign) != 1 or sign.isalnum():
            problems.append(f"{kind} is told by colour alone: {text[:80]!r}")
        elif signs.setdefault(sign, kind) != kind:
            problems.append(f"{sign} stands for {kind} and for {signs[sign]}")
    return problems if shown else ["there is no verdict"]
