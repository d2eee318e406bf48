# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet's report in use: found by keyboard, unfolded, printed; and a large one."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tools.pages.browser import Look, opened
from tools.pages.fleet import fleet

from ansible_collections.wst.backup.plugins.plugin_utils._report_page import page


def test_hosts_are_found_by_keyboard_alone(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["fleet-mixed"]) as seen:
        view, keys = seen.page, seen.page.keyboard
        keys.press("/")
        assert view.evaluate("document.activeElement.id") == "find"
        keys.type("wst-dev CONNECTION")
        assert view.locator(".host:visible").count() == 0
        keys.press("Escape")
        assert view.input_value("#find") == ""
        keys.type("connection_lost prod")
        assert view.locator(".host:visible .name").all_inner_texts() == ["wst-prod-008 prod"]
        assert view.inner_text("#said") == "1 of 11 hosts"
        keys.press("Escape")
        keys.press("Tab")
        keys.type("unk")
        assert view.locator(".host:visible").count() == 1
        keys.press("Home")
        keys.press("Tab")
        keys.press("Enter")
        assert view.locator(".host[open]").count() == 11
        keys.press("Enter")
        assert view.locator(".host[open]").count() == 0
        assert seen.complaints == []


def test_a_link_unfolds_the_host_that_it_names(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["fleet-mixed"]) as seen:
        link = seen.page.locator("table a[href^='#']").first
        link.press("Enter")
        opened_host = seen.page.locator(".host[open]")
        opened_host.wait_for()
        assert opened_host.locator(".name").inner_text().split()[0] == link.inner_text()


@pytest.mark.parametrize("script", [True, False])
def test_paper_has_all_of_a_host_in_trouble_and_a_line_of_the_others(
    browser: Browser, pages: dict[str, Path], script: bool
) -> None:
    with opened(browser, pages["fleet-mixed"], Look(paper=True, script=script)) as seen:
        shown = dict(
            seen.page.eval_on_selector_all(
                ".host", "all => all.map(e => [e.id, [e.dataset.kind, e.querySelector('h3').checkVisibility()]])"
            )
        )
        assert {tuple(each) for each in shown.values()} == {("bad", True), ("unsure", True), ("good", False)}
        assert not seen.page.locator(".tool").is_visible()


def test_no_script_but_ours_can_run(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["fleet-good"]) as seen:
        seen.page.evaluate(
            "() => { const evil = document.createElement('script'); evil.textContent = 'window.evil = 1';"
            " document.body.append(evil); document.body.setAttribute('onclick', 'window.evil = 2');"
            " document.body.click(); }"
        )
        assert seen.page.evaluate("window.evil") is None
        assert any("Content Security Policy" in text for text in seen.complaints)


def test_a_page_that_is_old_says_so_in_its_first_lines(browser: Browser, tmp_path: Path) -> None:
    """Its answer is of then. A fresh one has no such line."""
    now, file = datetime.now(timezone.utc), tmp_path / "fleet.html"
    for age, told in (
        (timedelta(minutes=5), None),
        (timedelta(hours=4), "This page is 4 hours old"),
        (timedelta(days=9), "This page is 9 days old"),
    ):
        document = {**fleet(seed=2, hosts=1, days=7), "made": f"{now - age:%Y-%m-%dT%H:%M:%SZ}"}
        file.write_text(page(document), encoding="utf-8")
        for look in (Look(), Look(paper=True)):
            with opened(browser, file, look) as seen:
                notes = [note for note in seen.page.locator("#old").all() if note.is_visible()]
                assert [note.inner_text().partition(" and ")[0] for note in notes] == [told] * (told is not None)
                assert seen.complaints == []


def test_the_page_of_a_drill_opens_from_the_fleet_s(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """As both stand on the control node."""
    document = fleet(seed=2, hosts=1, days=14)
    own = tmp_path / "fleet" / "compliance.html"
    drill = own.parent / document["hosts"][0]["drills"][-1]["evidence"]
    for path in (own.parent, drill.parent):
        path.mkdir(parents=True)
    own.write_text(page(document), encoding="utf-8")
    drill.write_bytes(pages["drill-good"].read_bytes())
    with opened(browser, own, Look(unfolded=True)) as seen:
        link = seen.page.locator("td[data-label=Evidence] a").first
        assert Path(link.evaluate("link => decodeURI(new URL(link.href).pathname)")).resolve() == drill.resolve()


def test_a_hundred_hosts_with_a_year_of_runs(browser: Browser, tmp_path: Path) -> None:
    document = fleet(seed=7, hosts=100)
    assert sum(len(host["runs"]) for host in document["hosts"]) == 219_000
    start = time.monotonic()
    text = page(document)
    made = time.monotonic() - start
    file = tmp_path / "fleet.html"
    file.write_text(text, encoding="utf-8")
    start = time.monotonic()
    with opened(browser, file) as seen:
        loaded = time.monotonic() - start
        assert seen.page.inner_text("#said") == "100 of 100 hosts"
        start = time.monotonic()
        seen.page.fill("#find", "prod")
        seen.page.wait_for_function("document.getElementById('said').textContent.startsWith('5')")
        found = time.monotonic() - start
        assert (seen.requests, seen.complaints) == ([], [])
    print(f"made in {made:.1f} s, {len(text) / 1e6:.1f} MB, opened in {loaded:.1f} s, searched in {found:.2f} s")
    # Far above what was measured on two busy cores: a page that holds every run would pass none of them.
    assert made < 40
    assert len(text) < 3_000_000
    assert loaded < 20
    assert found < 5
