# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style and the script of a fleet's report. The page is whole without the script, which finds and unfolds."""

from __future__ import annotations

import base64
import hashlib

from markupsafe import Markup

STYLE = Markup("""
body { max-width: 76rem; } header p { margin: .25rem 0 0; } .quiet { color: var(--quiet); }
.answer { font-size: 1.9rem; line-height: 1.2; margin: 1.2rem 0 .6rem; font-weight: 650; }
svg { display: block; width: 100%; } svg .g { fill: var(--good); } svg .b { fill: var(--bad); }
svg .u { fill: var(--unsure); } svg .l { fill: var(--line); }
svg .c { fill: none; stroke: var(--other); stroke-width: 2; vector-effect: non-scaling-stroke; }
[data-verdict] { overflow-wrap: normal; } #old { color: var(--unsure); font-weight: 600; }
.share svg { height: 1rem; } .strip svg { height: 3.25rem; } .small svg { height: 1.5rem; } .curve svg { height: 4rem; }
.tally { display: flex; flex-wrap: wrap; gap: .25rem 1.75rem; list-style: none; padding: 0; margin: .5rem 0 1.5rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 0; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .7rem .9rem; }
.tiles dt { font-weight: 400; color: var(--quiet); font-size: .875rem; }
.tiles dd { font-size: 1.25rem; font-weight: 600; margin: 0; line-height: 1.3; }
.tiles small { display: block; font-size: .875rem; font-weight: 400; color: var(--quiet); }
.tool { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin: 0 0 .75rem; }
.tool[hidden] { display: none; } .tool label { font-size: .875rem; color: var(--quiet); }
.tool output { margin-left: auto; } nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1.25rem 0 0; }
.tool input, .tool select, .tool button { display: block; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--quiet); border-radius: .35rem; padding: .35rem .6rem; max-width: 100%; min-height: 2.4rem; }
.host { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .5rem; }
.host[hidden] { display: none; } .host > div { padding: 0 1rem 1rem; }
.host h3 { font-size: 1rem; margin: 1.5rem 0 .4rem; }
summary { display: grid; grid-template-columns: 9.5rem minmax(8rem, 15rem) minmax(0, 1fr) 9rem 7rem; gap: 0 1rem;
  align-items: center; padding: .6rem 1rem; cursor: pointer; border-radius: .5rem; list-style: none; }
summary::-webkit-details-marker { display: none; } summary:hover { background: var(--soft); }
summary .name::before { content: "▸ "; color: var(--quiet); } details[open] > summary .name::before { content: "▾ "; }
summary .name { font-weight: 600; }
summary small, .ages { font-size: .875rem; font-weight: 400; color: var(--quiet); }
.known p { margin: 0; } .known ul { color: var(--quiet); font-size: .9rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1.25rem;
  margin-top: 1rem; }
figure { margin: 0; } figcaption { font-size: .875rem; color: var(--quiet); margin-bottom: .25rem; }
.wide th:first-child { width: 32%; font-weight: 400; } thead th { font-size: .875rem; } td.n { white-space: nowrap; }
a { color: var(--other); }
@media (max-width: 56rem) { summary { grid-template-columns: minmax(0, 1fr); gap: .1rem; } .small { max-width: 14rem; }
  .tool output { margin: 0; } }
@media (max-width: 40rem) { table, tbody, tr, th, td { display: block; } thead { display: none; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); } th, td, .wide th:first-child { border: 0; width: auto;
  padding: .1rem 0; } td.n { white-space: normal; } td[data-label]::before { content: attr(data-label) ": ";
  color: var(--quiet); font-weight: 400; } }
@media print { .tool, nav { display: none; } .host { border-width: 1px 0 0; border-radius: 0; margin: 0; }
  .host > div, summary { padding-left: 0; padding-right: 0; } summary { break-after: avoid; }
  .host:not([data-kind="good"])::details-content { display: block; content-visibility: visible; height: auto; }
  summary { grid-template-columns: 8rem 9rem minmax(0, 1fr) 7rem; } summary .small { display: none; } }
@media screen { .on-paper { display: none; } }
""")

SCRIPT = Markup("""
(() => {
  "use strict";
  const at = id => document.getElementById(id);
  const find = at("find"), kind = at("kind"), said = at("said"), all = at("all");
  const hosts = [...document.querySelectorAll(".host")];
  const texts = hosts.map(host => host.firstElementChild.textContent.toLowerCase());
  const filter = () => {
    const words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let shown = 0;
    hosts.forEach((host, number) => {
      host.hidden = !words.every(word => texts[number].includes(word))
        || (kind.value !== "" && host.dataset.kind !== kind.value);
      shown += !host.hidden;
    });
    said.textContent = shown + " of " + hosts.length + " hosts";
  };
  const unfold = () => {
    const host = at(decodeURIComponent(location.hash.slice(1)));
    if (host && host.classList.contains("host")) { host.hidden = false; host.open = true; host.scrollIntoView(); }
  };
  find.addEventListener("input", filter);
  kind.addEventListener("change", filter);
  all.addEventListener("click", () => {
    const open = all.getAttribute("aria-pressed") !== "true";
    all.setAttribute("aria-pressed", String(open));
    hosts.forEach(host => { host.open = open && !host.hidden; });
  });
  document.addEventListener("keydown", event => {
    if (event.key === "/" && !event.target.matches("input, select")) { event.preventDefault(); find.focus(); }
    if (event.key === "Escape" && event.target === find) { find.value = ""; filter(); }
  });
  addEventListener("hashchange", unfold);
  document.querySelectorAll("[data-script]").forEach(part => { part.hidden = false; });
  const old = at("old"), hours = Math.floor((Date.now() - Date.parse(old.dataset.made)) / 36e5);
  if (hours < Number(old.dataset.hours)) old.remove();
  else old.textContent = "This page is " + (hours < 48 ? hours + " hours" : Math.floor(hours / 24) + " days")
    + " old and tells what was so then. Run compliance.yml for what is so now.";
  filter();
  unfold();
})();
""")

# Nothing is loaded, and no script runs but ours, whatever a name in the document may hold.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'sha256-{}'".format(
        base64.b64encode(hashlib.sha256(SCRIPT.encode("utf-8")).digest()).decode("ascii")
    )
)
