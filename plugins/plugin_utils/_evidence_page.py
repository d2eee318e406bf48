# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill's evidence as a page of its own: no script, no picture, nothing from a network.

It opens from a file, reads in the dark and in print, and says nothing by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jinja2

from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text, count_text, duration_text, size_text

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Restore test of {{ it.host }}: {{ verdict }}</title>
<style>
:root { color-scheme: light dark; --line: #8888; --soft: #8882; --good: #0b6b3a; --bad: #a3161f; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd39b; --bad: #ff9a97; } }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.verdict { border-left: .4rem solid; padding: .5rem 1rem; margin: 1rem 0; background: var(--soft); }
.success, .ok { color: var(--good); } .failure, .failed { color: var(--bad); }
.verdict p { color: CanvasText; margin: .3rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.5rem; margin: 0; }
dt { font-weight: 600; } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; } ul { margin: 0; padding-left: 1.2rem; } code { font-size: .9em; }
@media print { body { margin: 0; max-width: none; } tr { break-inside: avoid; } }
</style>
</head>
<body>
<main>
<h1>Restore test of {{ it.host }}</h1>
<div class="verdict {{ it.result }}" role="status">
<strong>{{ mark }} {{ verdict }}</strong>
{% if it.code %}<p>{{ it.message }}</p>{% endif %}
{% if it.failed_at %}<p>It failed at: {{ it.failed_at }}</p>{% endif %}
</div>
<dl>
<dt>Set</dt><dd>{{ it.set.artifact or "none" }}{% if it.set.layer %}, from the {{ it.set.layer }} layer{% endif %}</dd>
<dt>Size</dt><dd>{{ size(it.set.size) or "unknown" }}</dd>
<dt>SHA-256</dt><dd><code>{{ it.set.sha256 or "unknown" }}</code></dd>
<dt>Data that a loss would cost (RPO)</dt><dd>{{ age(it.rpo_seconds) or "not measured" }}</dd>
<dt>Time to get it back (RTO)</dt>
<dd>{% if it.rto_seconds %}{{ duration(it.rto_seconds.total) }}: files {{ duration(it.rto_seconds.files) }}, database
{{ duration(it.rto_seconds.database) }}{% else %}not measured{% endif %}</dd>
<dt>Drill</dt><dd>{{ it.began }} to {{ it.ended }}, {{ duration(it.seconds) }}</dd>
<dt>Run</dt><dd><code>{{ it.run_id or "none" }}</code></dd>
</dl>
{% if it.differences %}
<h2>Differences</h2>
<ul>{% for each in it.differences %}<li>{{ each }}</li>{% endfor %}</ul>
{% endif %}
<h2>What was proved</h2>
<table>
<thead><tr><th scope="col">Step</th><th scope="col">Result</th><th scope="col">Facts</th></tr></thead>
<tbody>
{% for step in it.steps %}
<tr><th scope="row">{{ step.proves }}</th>
<td class="{{ step.result | replace(' ', '-') }}">{{ marks[step.result] }} {{ step.result }}</td>
<td>{% for name, value in step.facts.items() %}<div>{{ name | replace("_", " ") }}: {{ shown(name, value) }}</div>
{% endfor %}{% for remark in step.remarks %}<div>Remark: {{ remark }}</div>{% endfor %}</td></tr>
{% endfor %}
</tbody>
</table>
<h2>What was removed afterwards</h2>
<ul>
{% for each in it.teardown.removed or [] %}<li>{{ each }}</li>{% else %}<li>nothing</li>{% endfor %}
{% for each in it.teardown.problems or [] %}<li>Still there: {{ each.message }}</li>{% endfor %}
</ul>
</main>
</body>
</html>
"""
_MARKS = {"ok": "✓", "failed": "✗", "not reached": "·"}
_BYTES, _SECONDS = frozenset({"size", "bytes"}), frozenset({"seconds", "duration"})


def page(document: Mapping[str, Any]) -> str:
    """The page of that evidence; whatever is in it is shown as text."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.ChainableUndefined)
    good = document["result"] == "success"
    return environment.from_string(_PAGE).render(
        it=document,
        verdict="passed" if good else f"failed ({document['code']})",
        mark=_MARKS["ok" if good else "failed"],
        marks=_MARKS,
        size=size_text,
        age=age_text,
        duration=duration_text,
        shown=_shown,
    )


def _shown(name: str, value: Any) -> str:
    """A fact as a person reads it."""
    if name in _BYTES:
        return size_text(value)
    if name in _SECONDS:
        return duration_text(value)
    if name == "age":
        return age_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count_text(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown('', inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return "; ".join(_shown("", each) for each in value) or "none"
    return str(value)
