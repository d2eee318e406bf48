# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a fleet as a template; ``_report_page`` fills it."""

from __future__ import annotations

TEMPLATE = """{% macro picture(it) %}
<svg viewBox="0 0 {{ it.width }} {{ it.height }}" preserveAspectRatio="none"
{%- if it.words %} role="img" aria-label="{{ it.words }}"{% else %} aria-hidden="true"{% endif %}>
{%- for name, path in it.paths %}<path class="{{ name }}" d="{{ path }}"/>{% endfor %}</svg>
{%- endmacro %}
{% macro verdict(it) %}<span data-verdict="{{ kinds[it] }}">{{ signs[it] }} {{ it }}</span>{% endmacro %}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ it.answer }}</title>
<style>{{ style }}{{ own_style }}</style>
</head>
<body>
<header>
<h1>Can we get it back?</h1>
<p class="quiet">Made {{ stamp(it.fleet.made) }} by {{ short(it.fleet.controller) }} with wst.backup
{{ short(it.fleet.collection) }}. All times are UTC.</p>
<p id="old" data-script data-made="{{ it.fleet.made.isoformat() }}" data-hours="{{ old_hours }}" hidden></p>
</header>
<main>
<p class="answer" data-verdict="{{ kinds[it.verdict] }}">{{ signs[it.verdict] }} {{ it.answer }}</p>
{% if it.fleet.limit %}
<p>Limited to {{ short(it.fleet.limit) }}: nothing is said here of other hosts.</p>
{% endif %}
<div class="share">{{ picture(it.share) }}</div>
<ul class="tally">
{% for name, count in it.tally.items() %}
<li data-verdict="{{ kinds[name] }}">{{ signs[name] }} {{ count }} {{ name }}</li>
{% endfor %}
</ul>
<dl class="tiles">
{% for tile in it.tiles %}
<div class="whole"><dt>{{ tile.name }}</dt><dd>{{ tile.value }}<small>{{ tile.where }}</small></dd></div>
{% endfor %}
</dl>
<nav aria-label="Parts of this page"><a href="#hosts">Hosts</a> <a href="#requirements">Requirements</a>
{% for list in it.lists if list.rows %}<a href="#{{ list.title | lower | replace(" ", "-") }}">{{ list.title }}</a>
{% endfor %}</nav>
{% if it.missing %}
<h2>Hosts without a good backup, day by day</h2>
<figure class="curve"><figcaption>{{ it.missing.words }}</figcaption>{{ picture(it.missing) }}</figure>
{% endif %}
<h2 id="hosts">Hosts</h2>
<p class="quiet">The worst first. In the small picture of the last {{ it.recent }} days a low bar is a day with good
runs only, a middle one a day with a suspect run, a tall one a day with a failed run; no bar is a day without a run.</p>
<p class="on-paper">A compliant host is printed as a line. Open it before printing to have all of it.</p>
<div class="tool" data-script hidden role="search" aria-label="Hosts">
<label>Find (press /)<input id="find" type="search" autocomplete="off" spellcheck="false"></label>
<label>Verdict<select id="kind"><option value="">all</option><option value="bad">non-compliant</option>
<option value="unsure">unknown</option><option value="good">compliant</option></select></label>
<button id="all" type="button" aria-pressed="false">Open all</button>
<output id="said" for="find kind"></output>
</div>
{% for host in it.hosts %}{% include "host" %}{% else %}<p>There is no host in it.</p>{% endfor %}
<h2 id="requirements">Requirements</h2>
<table class="wide">
<thead><tr><th scope="col">Requirement</th><th scope="col">Hosts</th>
<th scope="col">Not met or not known on</th></tr></thead>
<tbody>
{% for row in it.requirements %}
<tr class="whole"><th scope="row">{{ short(row.id) }}: {{ short(row.title) }}</th>
<td>{% for name, count in row.counts.items() if count %}
<div data-verdict="{{ kinds[name] }}">{{ signs[name] }} {{ count }} {{ name }}</div>
{% endfor %}</td>
<td>{% for host in row.failing[:few] %}
<a href="#h{{ number_of(host) }}">{{ short(host.name) }}</a>
{% else %}no host{% endfor %}
{% if row.failing | length > few %}and {{ row.failing | length - few }} more{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
{% for list in it.lists if list.rows %}
<h2 id="{{ list.title | lower | replace(" ", "-") }}">{{ list.title }}</h2>
<table>
<thead><tr>{% for name in list.head %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in list.rows %}
<tr class="whole">{% for cell in row %}<td data-label="{{ list.head[loop.index0] }}">
{%- if loop.first %}<a href="#h{{ number_of(cell) }}">{{ short(cell.name) }}</a>
{%- else %}{{ short(cell) }}{% endif %}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% if list.more %}<p class="quiet">and {{ list.more }} more</p>{% endif %}
{% endfor %}
</main>
<script>{{ script }}</script>
</body>
</html>
"""

HOST = """
<details class="host" id="h{{ host.number }}" data-kind="{{ kinds[host.it.verdict] }}">
<summary>{{ verdict(host.it.verdict) }}
<span class="name">{{ short(host.it.name) }}
{%- if host.it.environment %} <small>{{ short(host.it.environment) }}</small>{% endif %}</span>
<span class="why">{{ short(host.trouble) }}</span>
<span class="ages">backup {{ host.backup }}<br>drill {{ host.drill }}</span>
<span class="small">{{ picture(host.recent) }}</span></summary>
<div>
{% if host.it.name | length > limit %}<p>{{ host.it.name }}</p>{% endif %}
{% if not host.it.reached %}
<p>It was not reached. {% if host.it.known_at %}What follows was known {{ stamp(host.it.known_at) }},
{{ away(host.it.known_at) }}.{% else %}Nothing is known of it.{% endif %}</p>
{% endif %}
{% if host.it.error %}<p>{{ host.it.error.code }}: {{ host.it.error.message }} {{ host.it.error.remedy }}</p>{% endif %}
{% if host.it.turns_at %}
<p>Its verdict turns {{ stamp(host.it.turns_at) }}, {{ away(host.it.turns_at) }}, if nothing happens before.</p>
{% endif %}
<h3>Requirements</h3>
<table class="wide">
<thead><tr><th scope="col">Requirement</th><th scope="col">Verdict</th><th scope="col">What is known</th></tr></thead>
<tbody>
{% for each in host.it.requirements %}
<tr class="whole"><th scope="row">{{ each.id }}: {{ each.title }}</th><td>{{ verdict(each.verdict) }}</td>
<td class="known"><p>{{ each.summary }}</p>
{% for warning in each.warnings %}<p>Warning: {{ warning }}</p>{% endfor %}
{% if each.exemption %}
<p>Exempt until {{ each.exemption.until }} by {{ each.exemption.by }}: {{ each.exemption.reason }}</p>
{% endif %}
{% if each.turns_at %}
<p>Turns {{ stamp(each.turns_at) }}, {{ away(each.turns_at) }}
{%- if each.turns_why %}: {{ each.turns_why }}{% endif %}</p>
{% endif %}
{% if each.evidence %}<ul>{% for one in each.evidence[:few] %}<li>{{ one.what }} ({{ one.where }}
{%- if one.age_seconds is not none %}, {{ age(one.age_seconds) }} old{% endif %})</li>{% endfor %}
{% if each.evidence | length > few %}<li>and {{ each.evidence | length - few }} more in the JSON</li>{% endif %}
</ul>{% endif %}
{% if each.command %}<p><code>{{ each.command }}</code></p>{% endif %}</td></tr>
{% endfor %}
</tbody>
</table>
<h3>Runs and drills</h3>
<figure class="strip"><figcaption>{{ host.year.words }}</figcaption>{{ picture(host.year) }}</figure>
<div class="pictures">
{% for curve in host.curves %}
<figure class="curve whole"><figcaption>{{ curve.words }}</figcaption>{{ picture(curve) }}</figure>
{% endfor %}
</div>
{% for list in host.lists if list.rows %}
<h3>{{ list.title }}</h3>
<table>
<thead><tr>{% for name in list.head %}<th scope="col">{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in list.rows %}
<tr class="whole">{% for cell in row %}<td data-label="{{ list.head[loop.index0] }}">
{%- if cell.href %}<a href="{{ cell.href }}">{{ cell.text }}</a>{% else %}{{ cell }}{% endif %}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table>
{% if list.more %}<p class="quiet">and {{ list.more }} more in the JSON</p>{% endif %}
{% endfor %}
</div>
</details>
"""
