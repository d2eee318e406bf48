# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page in every way that a person may look at it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tools.pages import checks
from tools.pages.browser import NARROW, Look, opened
from tools.pages.cases import NAMES, all_pages

LOOKS = {
    "light": Look(),
    "dark": Look(dark=True),
    "narrow": Look(width=NARROW),
    "forced-colours": Look(forced_colours=True),
    "paper": Look(paper=True),
    "paper-of-a-dark-screen": Look(paper=True, dark=True),
    "no-script": Look(script=False),
    "unfolded": Look(unfolded=True),
    "unfolded-dark-narrow": Look(unfolded=True, dark=True, width=NARROW),
    "unfolded-paper": Look(unfolded=True, paper=True),
}


def test_every_page_is_opened_here() -> None:
    assert set(NAMES) == set(all_pages())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("look", LOOKS)
def test_a_page_is_quiet_whole_and_open_to_everybody(
    browser: Browser, pages: dict[str, Path], name: str, look: str
) -> None:
    with opened(browser, pages[name], LOOKS[look]) as seen:
        assert checks.cut_off(seen.page, paper=LOOKS[look].paper) == []
        assert checks.coloured_only(seen.page) == []
        assert checks.broken_words(seen.page) == []
        if LOOKS[look].script and not LOOKS[look].paper:  # nobody's reader reads paper
            assert checks.accessibility(seen.page) == []
        assert (seen.requests, seen.complaints) == ([], [])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("look", ["light", "narrow"])
def test_the_keyboard_reaches_everything_that_acts(
    browser: Browser, pages: dict[str, Path], name: str, look: str
) -> None:
    with opened(browser, pages[name], LOOKS[look]) as seen:
        assert checks.out_of_reach(seen.page) == []
        assert checks.shut_for_the_keyboard(seen.page) == []
        assert (seen.requests, seen.complaints) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_without_script_the_page_says_the_same(browser: Browser, pages: dict[str, Path], name: str) -> None:
    texts = []
    for look in (Look(), Look(script=False)):
        with opened(browser, pages[name], look) as seen:
            # What works only with a script is shown only where there is one.
            seen.page.eval_on_selector_all("[data-script]", "all => all.forEach(part => part.remove())")
            texts.append(seen.page.locator("main").inner_text())
    assert len(texts[0]) > 200
    assert texts[0] == texts[1]
