# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drill's evidence as a page of its own: no script, no picture, nothing from a network.

It opens from a file, reads in the dark and in print, and says nothing by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.wst.backup.plugins.plugin_utils._page_style import environment
from ansible_collections.wst.backup.plugins.plugin_utils._tables import age_text, count_text, duration_text, size_text

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Restore test of {{ it.host }}: {{ verdict }}</title>
<style>{{ style }}
.verdict { border-left: .4rem solid; padding: .6rem 1rem; margin: 1rem 0; background: var(--soft); color: var(--ink); }
.verdict p { margin: .3rem 0 0; }
thead th:first-child { width: 35%; } thead th:nth-child(2) { width: 8.5rem; }
tbody th { font-weight: 400; }
@media (max-width: 40rem) { thead { display: none; } tr { display: block; padding: .6rem 0;
  border-bottom: 1px solid var(--line); } tbody th, td { display: block; border: 0; padding: .1rem 0; } }
</style>
</head>
<body>
<main>
<h1>Restore test of {{ it.host }}</h1>
<div class="verdict whole" style="border-color: var(--{{ kinds[it.result] }})">
<strong data-verdict="{{ kinds[it.result] }}">{{ signs[it.result] }} {{ verdict }}</strong>
{% if it.code %}<p>{{ it.message }}</p>{% endif %}
{% if it.failed_at %}<p>It failed at: {{ it.failed_at }}</p>{% endif %}
{% if it.remedy %}<p>What to do: {{ it.remedy }}</p>{% endif %}
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
<td data-verdict="{{ kinds[step.result] }}">{{ signs[step.result] }} {{ step.result }}</td>
<td>{% for name, value in step.facts.items() %}<div>{{ name | replace("_", " ") }}: {{ shown(name, value) }}</div>
{% endfor %}{% for remark in step.remarks %}<div>Remark: {{ remark }}</div>{% endfor %}</td></tr>
{% endfor %}
</tbody>
</table>
<h2>What was removed afterwards</h2>
<ul>
{% for each in it.teardown.removed or [] %}<li>{{ each }}</li>{% else %}<li>nothing</li>{% endfor %}
{% for each in it.teardown.left or [] %}<li>Left, for others use it: {{ each }}</li>{% endfor %}
{% for each in it.teardown.problems or [] %}<li>Still there: {{ each.message }}</li>{% endfor %}
</ul>
</main>
</body>
</html>
"""
_SIGNS = {"ok": "✓", "success": "✓", "failed": "✗", "failure": "✗", "not reached": "○"}
_KINDS = {"ok": "good", "success": "good", "failed": "bad", "failure": "bad", "not reached": "unsure"}
_BYTES, _SECONDS = frozenset({"size", "bytes"}), frozenset({"seconds", "duration"})


def page(document: Mapping[str, Any]) -> str:
    """The page of that evidence; whatever is in it is shown as text."""
    good = document["result"] == "success"
    return (
        environment()
        .from_string(_PAGE)
        .render(
            it=document,
            verdict="passed" if good else f"failed ({document['code']})",
            signs=_SIGNS,
            kinds=_KINDS,
            size=size_text,
            age=age_text,
            duration=duration_text,
            shown=_shown,
        )
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
        return ", ".join(f"{key} {_shown('', inner)}" for key, inner in value.items() if inner) or "none"
    if isinstance(value, (list, tuple)):
        return "; ".join(_shown("", each) for each in value) or "none"
    return str(value)
