# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks find what they are there for, in pages that have it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from tools.pages import checks
from tools.pages.browser import BrowserMissing, Look, executable, opened

START = "<!doctype html><html lang=en><title>t</title><main><h1>t</h1>"
GOOD = START + "<p data-verdict=good>✓ well</p><details><summary>more</summary>x</details>"


def on_paper(page: Page) -> list[str]:
    return checks.cut_off(page, paper=True)


BAD: dict[str, tuple[str, Callable[[Page], list[str]], Look]] = {
    "pale": (START + "<p style='color:#bbb;background:#fff'>pale</p>", checks.accessibility, Look()),
    "unnamed": (START + "<button></button>", checks.accessibility, Look()),
    "wide": (START + "<div style='width:2000px'>wide</div>", checks.cut_off, Look()),
    "long": (START + "W" * 900, checks.cut_off, Look(width=320)),
    "clipped": (START + f"<div style='overflow:hidden;white-space:nowrap'>{'x ' * 999}</div>", checks.cut_off, Look()),
    "scrolled on paper": (
        START + f"<div style='overflow:auto'><pre>{'x' * 999}</pre></div>",
        on_paper,
        Look(paper=True),
    ),
    "no ring": (START + "<button style='outline:0'>x</button>", checks.out_of_reach, Look()),
    "trapped": (
        START + "<button>a</button><button onfocus='previousElementSibling.focus()'>b</button>",
        checks.out_of_reach,
        Look(),
    ),
    "stuck": (
        START + "<details><summary onclick='event.preventDefault()'>x</summary>y</details>",
        checks.shut_for_the_keyboard,
        Look(),
    ),
    "colour alone": (START + "<b data-verdict=bad>●</b>", checks.coloured_only, Look()),
    "one sign": (START + "<b data-verdict=bad>● a</b><b data-verdict=good>● b</b>", checks.coloured_only, Look()),
    "no verdict": (START, checks.coloured_only, Look()),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_page_is_told(browser: Browser, tmp_path: Path, name: str) -> None:
    text, check, look = BAD[name]
    file = tmp_path / "page.html"
    file.write_text(text, encoding="utf-8")
    with opened(browser, file, look) as seen:
        assert check(seen.page)


def test_a_good_page_is_let_through(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(GOOD, encoding="utf-8")
    with opened(browser, file) as seen:
        every = (checks.accessibility, checks.cut_off, checks.out_of_reach, checks.shut_for_the_keyboard)
        assert [check(seen.page) for check in (*every, checks.coloured_only)] == [[]] * 5
        assert (seen.requests, seen.complaints) == ([], [])


def test_requests_and_complaints_are_kept(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(
        START + "<img src='beside.png' alt=x><script src='http://127.0.0.1:9/x.js'></script>"
        "<script>console.log('a'); throw new Error('b')</script>",
        encoding="utf-8",
    )
    with opened(browser, file) as seen:
        assert {address.rpartition("/")[2] for address in seen.requests} == {"beside.png", "x.js"}
        assert any("a" in text for text in seen.complaints)
        assert any(text.startswith("error:") for text in seen.complaints)


def test_a_missing_browser_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("WST_CHROMIUM", raising=False)
    with pytest.raises(BrowserMissing, match="apt-get install chromium"):
        executable()
