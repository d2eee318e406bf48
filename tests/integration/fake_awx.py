# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A named fake of AWX's API v2, for what role ``awx`` and collection awx.awx ask of it: by the schema of AWX 24.6.1.

It keeps records, says what AWX says to wrong ones, answers 401 and 403, and knows from its roles who could launch what.
It runs no job.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional
from urllib.parse import parse_qsl, urlencode, urlsplit

Record = dict[str, Any]
ASK = ("limit", "job_type", "diff_mode", "variables", "credential", "inventory", "execution_environment")
# For each list: the type of a record, what must be given, the references, what may be given, with its default.
SCHEMA: dict[str, tuple[str, tuple[str, ...], dict[str, str], Record]] = {
    "organizations": ("organization", ("name",), {}, {"description": "", "max_hosts": 0}),
    "execution_environments": (
        "execution_environment",
        ("name", "image"),
        {"organization": "organizations", "credential": "credentials"},
        {"description": "", "pull": "", "organization": None, "credential": None},
    ),
    "projects": (
        "project",
        ("name",),
        {"organization": "organizations", "credential": "credentials", "default_environment": "execution_environments"},
        {
            "description": "",
            "organization": None,
            "scm_type": "",
            "scm_url": "",
            "scm_branch": "",
            "scm_update_on_launch": False,
            "credential": None,
            "default_environment": None,
            "timeout": 0,
        },
    ),
    "inventories": (
        "inventory",
        ("name", "organization"),
        {"organization": "organizations"},
        {"description": "", "kind": "", "host_filter": None, "variables": ""},
    ),
    "inventory_sources": (
        "inventory_source",
        ("name", "inventory"),
        {"inventory": "inventories", "source_project": "projects"},
        {
            "description": "",
            "source": "",
            "source_path": "",
            "source_project": None,
            "overwrite": False,
            "update_on_launch": False,
        },
    ),
    "credential_types": (
        "credential_type",
        ("name", "kind"),
        {},
        {"description": "", "inputs": {}, "injectors": {}, "managed": False},
    ),
    "credentials": (
        "credential",
        ("name", "credential_type"),
        {"organization": "organizations", "credential_type": "credential_types"},
        {"description": "", "organization": None, "inputs": {}},
    ),
    "teams": ("team", ("name", "organization"), {"organization": "organizations"}, {"description": ""}),
    "users": ("user", ("username",), {}, {"is_superuser": False}),
    "job_templates": (
        "job_template",
        ("name", "project", "playbook"),
        {"project": "projects", "inventory": "inventories", "execution_environment": "execution_environments"},
        {
            "description": "",
            "job_type": "run",
            "inventory": None,
            "execution_environment": None,
            "forks": 0,
            "limit": "",
            "timeout": 0,
            "extra_vars": "---",
            "allow_simultaneous": False,
            **{f"ask_{name}_on_launch": False for name in ASK},
        },
    ),
    "schedules": (
        "schedule",
        ("name", "unified_job_template", "rrule"),
        {"unified_job_template": "job_templates"},
        {"description": "", "enabled": True, "limit": None, "extra_data": {}},
    ),
}
ROLES = {
    "organizations": ("admin_role", "execute_role", "job_template_admin_role", "member_role", "read_role"),
    "job_templates": ("admin_role", "execute_role", "read_role"),
    "teams": ("admin_role", "member_role", "read_role"),
}
READ_ONLY = {"job_templates": ("organization",)}  # taken from the project, whatever is sent
FILES = ("playbooks/", ".yml")


class Refused(Exception):
    """The request gets this status and body."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status, self.body = status, body


class Awx:
    """The records, and how requests change them."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[int, Record]] = {name: {} for name in SCHEMA}
        self.links: dict[tuple[str, int, str], list[int]] = {}
        self.roles: dict[int, tuple[str, int, str]] = {}
        self.tokens = {"full": frozenset[tuple[str, str]]()}  # a token, and what its owner may not (method, list)
        self.changes: list[str] = []
        self.last_id = 0
        self.lock = threading.Lock()

    def answer(self, method: str, target: str, body: Optional[Record], token: str) -> tuple[int, Any]:
        """Status and body of one request."""
        url = urlsplit(target)
        parts = [part for part in url.path.split("/") if part]
        if parts[:2] != ["api", "v2"]:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if token not in self.tokens:
            raise Refused(401, {"detail": "Authentication credentials were not provided. To establish a login ..."})
        table, path = parts[2], parts[3:]
        if (method, table) in self.tokens[token]:
            raise Refused(403, {"detail": "You do not have permission to perform this action."})
        if method != "GET":
            self.changes.append(f"{method} {url.path}")
        if table == "roles":
            return self.members(method, int(path[0]), path[1], body)
        if table == "project_updates":
            return 200, {
                "id": int(path[0]),
                "status": "successful",
                "finished": "2026-11-30T15:00:00Z",
                "failed": False,
            }
        if table == "unified_job_templates":
            table = "job_templates"
        if table not in self.tables:
            raise Refused(404, {"detail": "The requested resource could not be found."})
        if not path:
            return self.whole(method, table, dict(parse_qsl(url.query)), body)
        return self.one(method, table, int(path[0]), path[1:], body)

    def whole(self, method: str, table: str, query: dict[str, str], body: Optional[Record]) -> tuple[int, Any]:
        if method == "POST":
            return 201, self.shown(table, self.create(table, body or {}))
        found = [self.shown(table, record) for record in self.tables[table].values() if _matches(record, query)]
        return 200, _page(found, int(query.get("page", "1")), f"/api/v2/{table}/", query)

    def one(self, method: str, table: str, key: int, rest: list[str], body: Optional[Record]) -> tuple[int, Any]:
        if key not in self.tables[table]:
            raise Refused(404, {"detail": "Not found."})
        if rest:
            return self.related(method, (table, key, rest[0]), body or {})
        if method == "PATCH":
            self.check(table, {**self.tables[table][key], **(body or {})}, body or {}, key)
            self.tables[table][key].update(_writable(table, body or {}))
        if method == "DELETE":
            del self.tables[table][key]
            return 204, None
        return 200, self.shown(table, self.tables[table][key])

    def related(self, method: str, link: tuple[str, int, str], body: Record) -> tuple[int, Any]:
        """Records that belong to another one: its credentials, notifications and the like."""
        linked, other = self.links.setdefault(link, []), link[2]
        if method == "GET":
            return 200, _page([self.shown(other, self.tables[other][key]) for key in linked], 1, "", {})
        return self._link(linked, other, body)

    def members(self, method: str, role: int, kind: str, body: Optional[Record]) -> tuple[int, Any]:
        if role not in self.roles:
            raise Refused(404, {"detail": "Not found."})
        return self.related(method, ("roles", role, kind), body or {})

    def _link(self, linked: list[int], other: str, body: Record) -> tuple[int, Any]:
        key = int(body["id"])
        if key not in self.tables[other]:
            raise Refused(400, {"msg": f"{other} {key} does not exist"})
        if body.get("disassociate"):
            linked.remove(key)
        elif key not in linked:
            linked.append(key)
        return 204, None

    def create(self, table: str, body: Record) -> Record:
        """A new record with its roles; raises Refused for what AWX would not take."""
        kind, needed, _references, defaults = SCHEMA[table]
        missing = {field: ["This field is required."] for field in needed if body.get(field) in (None, "")}
        if missing:
            raise Refused(400, missing)
        self.check(table, {**defaults, **body}, body, None)
        key = self.next_id()
        record = {"id": key, "type": kind, "url": f"/api/v2/{table}/{key}/", **defaults, **_writable(table, body)}
        self.tables[table][key] = record
        for name in ROLES.get(table, ()):
            self.roles[self.next_id()] = (table, key, name)
        return record

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def check(self, table: str, record: Record, given: Record, key: Optional[int]) -> None:
        """Raise Refused for what the serializers of AWX would not take."""
        _kind, needed, references, defaults = SCHEMA[table]
        unknown = set(given) - set(needed) - set(defaults) - set(references) - {"name"} - set(READ_ONLY.get(table, ()))
        assert not unknown, f"the fake does not know {table}: {unknown}"
        for field, other in references.items():
            if record.get(field) not in (None, "") and record[field] not in self.tables[other]:
                raise Refused(400, {field: [f'Invalid pk "{record[field]}" - object does not exist.']})
        same = [each for each in self.tables[table].values() if _identity(each) == _identity(record)]
        if any(each["id"] != key for each in same):
            raise Refused(400, {"__all__": [f"{SCHEMA[table][0]} with this name already exists."]})
        if table == "job_templates" and not (
            record["playbook"].startswith(FILES[0]) and record["playbook"].endswith(FILES[1])
        ):
            raise Refused(400, {"playbook": ["Playbook not found for project."]})
        if table == "schedules":
            self.check_schedule(record)

    def check_schedule(self, record: Record) -> None:
        rule = record["rrule"]
        if not re.match(r"DTSTART:[0-9]{8}T[0-9]{6}Z ", rule):
            raise Refused(
                400, {"rrule": ["Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ"]}
            )
        if len(re.findall("RRULE:", rule)) != 1 or "INTERVAL=" not in rule:
            raise Refused(400, {"rrule": ["INTERVAL required in rrule"]})
        template = self.tables["job_templates"][record["unified_job_template"]]
        if record.get("limit") and not template["ask_limit_on_launch"]:
            raise Refused(400, {"limit": ["Field is not configured to prompt on launch."]})

    def shown(self, table: str, record: Record) -> Record:
        """A record as the API shows it."""
        roles = {name: {"id": key} for key, (of, on, name) in self.roles.items() if (of, on) == (table, record["id"])}
        summary: Record = {"object_roles": roles}
        for field, other in SCHEMA[table][2].items():
            if record.get(field):
                summary[field] = {key: self.tables[other][record[field]].get(key) for key in ("id", "name")}
        shown = {**record, "summary_fields": summary, "related": {}}
        if table == "projects":
            summary["current_update"] = {"id": 1, "status": "pending"}
            shown["scm_revision"] = ""
        if table == "job_templates":
            shown["organization"] = self.tables["projects"][record["project"]]["organization"]
        if table == "credentials":
            shown["inputs"] = dict.fromkeys(record["inputs"], "$encrypted$")
        return shown

    def named(self, table: str) -> dict[str, Record]:
        """The records of a list by their names."""
        return {_name(record): record for record in self.tables[table].values()}

    def holders(self, template: str, role: str, kind: str = "teams") -> set[str]:
        """Who holds a role on a job template."""
        key = self.named("job_templates")[template]["id"]
        (number,) = [number for number, each in self.roles.items() if each == ("job_templates", key, role)]
        return {_name(self.tables[kind][each]) for each in self.links.get(("roles", number, kind), [])}

    def grant(self, table: str, on: str, role: str, kind: str, holder: str) -> None:
        """Somebody gives a role away in the web interface."""
        key = self.named(table)[on]["id"]
        (number,) = [number for number, each in self.roles.items() if each == (table, key, role)]
        self.links.setdefault(("roles", number, kind), []).append(self.named(kind)[holder]["id"])


def _name(record: Record) -> str:
    return str(record.get("name") or record.get("username"))


def _identity(record: Record) -> tuple[Any, ...]:
    scope = record.get("unified_job_template") or record.get("inventory") or record.get("organization")
    return _name(record), scope, record.get("credential_type")


def _writable(table: str, body: Record) -> Record:
    return {key: value for key, value in body.items() if key not in READ_ONLY.get(table, ())}


def _matches(record: Record, query: dict[str, str]) -> bool:
    either = {key[4:]: value for key, value in query.items() if key.startswith("or__")}
    if either and not any(str(record.get(key)) == value for key, value in either.items()):
        return False
    for key, value in query.items():
        if key in ("page", "page_size") or key.startswith("or__") or (key == "organization" and key not in record):
            continue
        field, _colon, how = key.partition("__")
        if how == "startswith":
            if not str(record.get(field)).startswith(value):
                return False
        elif str(record.get(field)) != value:
            return False
    return True


def _page(found: list[Record], page: int, path: str, query: dict[str, str], size: int = 3) -> Record:
    """A page of a list. AWX has 25 records on one; a few make the caller turn pages in a test, too."""
    last = page * size
    following = f"{path}?{urlencode({**query, 'page': page + 1})}" if path and last < len(found) else None
    return {
        "count": len(found),
        "next": following,
        "previous": None,
        "results": found[last - size : last] if path else found,
    }


class Handler(BaseHTTPRequestHandler):
    """HTTP around it."""

    awx: Awx
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null") if length else None
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        with self.awx.lock:
            try:
                status, told = self.awx.answer(self.command, self.path, body, token)
            except Refused as refused:
                status, told = refused.status, refused.body
        data = b"" if told is None else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-API-Product-Name", "AWX")
        self.send_header("X-API-Product-Version", "24.6.1")
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815  # the names that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


def serve(awx: Awx) -> ThreadingHTTPServer:
    """The fake on a port of the loopback; ``shutdown`` and ``server_close`` end it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"awx": awx}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
