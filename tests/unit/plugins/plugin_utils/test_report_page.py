# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet's report is one page; what it looks like is proved in a browser (``tests/pages``)."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools.pages.fleet import fleet
from tools.pages.fleet_cases import bare, spoilt
from tools.pages.hostile import NASTY

from ansible_collections.wst.backup.plugins.plugin_utils._errors import ReportInvalid
from ansible_collections.wst.backup.plugins.plugin_utils._page_style import tame
from ansible_collections.wst.backup.plugins.plugin_utils._report_page import page
from ansible_collections.wst.backup.plugins.plugin_utils._report_words import in_days

SMALL = fleet(seed=1, hosts=11, days=8, runs_a_day=1)
TINY = {**SMALL, "hosts": [SMALL["hosts"][number] for number in (6, 7, 9)]}  # one of each kind that says more
LEADS = re.compile(
    r"#[a-z0-9,-]+|\.\./hosts/[A-Za-z0-9_][A-Za-z0-9_.-]*/drills/drill-[0-9]{8}-[0-9]{6}-[0-9a-f]+\.html"
)
VOID = frozenset({"meta", "input", "br"})


class Reader(html.parser.HTMLParser):
    """Tags in their order, attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.names: set[str] = set()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _value in attrs}
        assert all(value and LEADS.fullmatch(value) for name, value in attrs if name == "href")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def read(document: dict[str, Any]) -> Reader:
    return Reader(page(document))


def test_every_host_and_requirement_is_there_and_the_answer_first() -> None:
    seen = read(SMALL)
    text = " ".join(seen.texts)
    assert seen.open == []
    assert text.index("Not everywhere: 2 of 11 hosts are not compliant") < text.index("wst-dev-007")
    for host in SMALL["hosts"]:
        assert host["name"] in text
    assert "the disk is on order, change 4711" in text
    assert "a gap of 9 hours in production" in text
    assert "Find out whether the host runs" in text


def test_nothing_is_loaded_and_only_our_script_runs() -> None:
    text = page(SMALL)
    seen = Reader(text)
    assert not set(seen.tags) & {"img", "link", "iframe", "object", "base", "form"}
    assert not {name for name in seen.names if name.startswith("on")} | (seen.names & {"src", "srcset", "style"})
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in text
    assert "default-src &#39;none&#39;" in text


@settings(max_examples=15)
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=50) | st.just(NASTY))
def test_no_text_changes_what_the_page_is_made_of(text: str) -> None:
    harmless = read(spoilt(TINY, text="x", name="x"))
    hostile = read(spoilt(TINY, text=text, name=text))
    assert hostile.open == []
    # One more paragraph per host where a name is too long for its line.
    longer = len(text) > 160
    assert len(hostile.tags) == len(harmless.tags) + len(TINY["hosts"]) * longer
    assert hostile.names == harmless.names
    if len(text) <= 40 and text.strip():
        assert any(tame(text) in part for part in ("".join(hostile.texts), *hostile.texts))


@pytest.mark.parametrize(
    ("hosts", "answer"),
    [
        ([], "Not known: nothing is proved of 0 of 0 hosts"),
        ([bare(SMALL["hosts"][0])], "Not known: nothing is proved of 1 of 1 hosts"),
        ([SMALL["hosts"][0]], "Yes: the host is compliant"),
        (SMALL["hosts"][:3], "Yes: all 3 hosts are compliant"),
        ([SMALL["hosts"][6]], "No: the host is not compliant"),
        (SMALL["hosts"][6:8], "No: none of 2 hosts is compliant"),
        (SMALL["hosts"][:7], "Not everywhere: 1 of 7 hosts is not compliant"),
        (SMALL["hosts"], "Not everywhere: 2 of 11 hosts are not compliant, and nothing is proved of 1"),
    ],
)
def test_the_answer(hosts: list[Any], answer: str) -> None:
    assert f"<title>{answer}</title>" in page({**SMALL, "hosts": hosts})


@pytest.mark.parametrize(
    ("path", "leads"),
    [
        ("../hosts/wst-1/drills/drill-20261130-120000-beef.html", True),
        ("../hosts/../drills/drill-20261130-120000-beef.html", False),
        ("../hosts/a/b/drills/drill-20261130-120000-beef.html", False),
        ("https://example.com/drills/drill-20261130-120000-beef.html", False),
        ("javascript:alert(1)", False),
    ],
)
def test_a_drill_s_page_is_a_link_and_nothing_else_can_be_one(path: str, leads: bool) -> None:
    (host,) = fleet(seed=1, hosts=1, days=8, runs_a_day=1)["hosts"]
    text = page({**SMALL, "hosts": [{**host, "drills": [{**host["drills"][0], "evidence": path}]}]})
    assert (f'href="{path}"' in text) is leads
    assert (path in text) is True, "it is always there to be read"


@pytest.mark.parametrize(
    ("days", "told"),
    [(None, "not foreseen"), (0.4, "within a day"), (1.2, "in 1 day"), (1.6, "in 2 days"), (1234, "in 1,234 days")],
)
def test_when_a_disk_is_full(days: float | None, told: str) -> None:
    assert in_days(days) == told


def test_the_same_document_makes_the_same_page_in_whatever_order_its_hosts_stand() -> None:
    turned = {**SMALL, "hosts": SMALL["hosts"][::-1]}
    # Requirements and lists are in an order of their own; hosts are the worst first.
    assert page(turned) == page(SMALL)


def test_what_is_not_a_report_is_refused() -> None:
    with pytest.raises(ReportInvalid):
        page({})


def test_years_do_not_make_the_page_grow() -> None:
    short, long = (len(page(fleet(seed=1, hosts=2, days=days))) for days in (60, 365))
    assert long < 1.6 * short
