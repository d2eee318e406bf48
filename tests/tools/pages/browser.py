# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A headless Chromium, and a page opened in it from a file with an eye on all that it does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Optional

from playwright.sync_api import Browser, Page, Playwright, Route, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# It runs as root in CI, and asks nobody for anything: a request that is seen was the page's.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container has little of it, and a page that finds it full stands still
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = 1280, 320  # CSS pixels; the narrow one is WCAG's, 1280 at a zoom of 400 %
PAPER = 718  # an A4 page's width less 1 cm on each side, in CSS pixels


class BrowserMissing(Exception):
    """There is no Chromium; the message says how to get one."""


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    width: int = WIDE
    dark: bool = False
    forced_colours: bool = False
    paper: bool = False
    script: bool = True
    unfolded: bool = False  # the first four of what can be unfolded: all would take minutes to look through


@dataclass
class Opened:
    """A page in the browser, and what it did that it should not."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def executable() -> str:
    """Chromium's path. Raises BrowserMissing."""
    found = os.environ.get("WST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BrowserMissing(
            "no page was opened: there is no Chromium. As root: apt-get install chromium; or let WST_CHROMIUM name one"
        )
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a profile of its own that is removed afterwards. Raises BrowserMissing."""
    path = executable()
    with sync_playwright() as playwright:
        browser = _launch(playwright, path)
        try:
            yield browser
        finally:
            browser.close()


def _launch(playwright: Playwright, path: str) -> Browser:
    return playwright.chromium.launch(executable_path=path, args=list(FLAGS))


@contextmanager
def opened(browser: Browser, file: Path, look: Optional[Look] = None) -> Iterator[Opened]:
    """That file, seen in that way. Nothing that it asks for is answered, and all of it is kept."""
    look = look or Look()
    scheme: Literal["dark", "light"] = "dark" if look.dark else "light"
    context = browser.new_context(
        viewport={"width": PAPER if look.paper else look.width, "height": 900},
        color_scheme=scheme,
        forced_colors="active" if look.forced_colours else "none",
        java_script_enabled=look.script,
        reduced_motion="reduce",
        offline=True,
    )
    try:
        page = context.new_page()
        seen = Opened(page)
        address = file.resolve().as_uri()

        def refuse(route: Route) -> None:
            if route.request.url.partition("#")[0] == address:
                route.continue_()
            else:
                seen.requests.append(route.request.url)
                route.abort()

        context.route("**/*", refuse)
        page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.complaints.append(f"error: {error}"))
        if look.paper:
            page.emulate_media(media="print")
        page.goto(address, wait_until="load")
        if look.unfolded:
            page.eval_on_selector_all("details", "all => all.slice(0, 4).forEach(one => { one.open = true; })")
        yield seen
    finally:
        context.close()
