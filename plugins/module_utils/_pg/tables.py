# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of a database as a dump will hold them, and what this role may not read of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, List, Optional, Tuple

from ansible_collections.wst.backup.plugins.module_utils._errors import DbPermission, DbRowSecurity

if TYPE_CHECKING:
    from ansible_collections.wst.backup.plugins.module_utils._pg.connect import Session

TABLE = "table"
PARTITIONED = "partitioned"
MATERIALIZED_VIEW = "materialized_view"  # a dump has its query, not its rows
FOREIGN = "foreign"  # its rows live elsewhere
CONFIGURATION = "configuration"  # of an extension: a dump has the rows that the extension's condition selects

NAMES_SHOWN = 20  # in a message; the facts have them all

# Temporary tables and system schemas are in no dump, nor are members of extensions, but for their configuration tables
# (https://www.postgresql.org/docs/current/extend-extensions.html, "Extension Configuration Tables").
_LIST = """
SELECT c.oid::bigint, n.nspname, c.relname, c.relkind::text, c.relispopulated,
       r.nspname, r.relname, k.oid IS NOT NULL, k.condition,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
       pg_catalog.row_security_active(c.oid)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
       SELECT rn.nspname, rc.relname
         FROM pg_catalog.pg_class rc JOIN pg_catalog.pg_namespace rn ON rn.oid = rc.relnamespace
        WHERE c.relispartition AND rc.oid = pg_catalog.pg_partition_root(c.oid)) r ON true
  LEFT JOIN (
       SELECT t.oid, t.condition
         FROM pg_catalog.pg_extension e, LATERAL unnest(e.extconfig, e.extcondition) AS t(oid, condition)
        WHERE e.oid >= 16384) k ON k.oid = c.oid
 WHERE c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (k.oid IS NOT NULL OR NOT EXISTS (
       SELECT 1 FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'))
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
_KINDS = {"r": TABLE, "p": PARTITIONED, "m": MATERIALIZED_VIEW, "f": FOREIGN}


@dataclass(frozen=True)
class Table:
    """A relation that a dump describes.

    ``root`` is the partitioned table that it is a part of, ``condition`` an extension's ``WHERE`` clause.
    """

    oid: int
    schema: str
    name: str
    kind: str
    populated: bool = True
    root: Optional[Tuple[str, str]] = None
    condition: str = ""
    readable: bool = True
    hides_rows: bool = False

    @property
    def label(self) -> str:
        """Schema and name for messages; not quoted."""
        return f"{self.schema}.{self.name}"

    @property
    def has_rows(self) -> bool:
        """Whether a dump has rows under this very name."""
        return self.kind in (TABLE, CONFIGURATION)

    @property
    def lockable(self) -> bool:
        """``LOCK TABLE`` takes neither foreign tables nor materialized views."""
        return self.kind in (TABLE, CONFIGURATION, PARTITIONED)


def list_tables(session: Session) -> List[Table]:
    """Every relation that belongs into a dump, in the order of its name's bytes."""
    found = []
    for row in session.execute(_LIST).fetchall():
        oid, schema, name, kind, populated, root_schema, root_name, configuration, condition, readable, hides = row
        found.append(
            Table(
                oid=oid,
                schema=schema,
                name=name,
                kind=CONFIGURATION if configuration and kind == "r" else _KINDS[kind],
                populated=populated,
                root=(root_schema, root_name) if root_name is not None else None,
                condition=condition or "",
                readable=readable,
                hides_rows=hides,
            )
        )
    return found


def require_readable(tables: List[Table], *, place: str) -> None:
    """Raises ``DbPermission`` or ``DbRowSecurity`` with the name of every table that this role cannot read in full."""
    closed = [table.label for table in tables if table.lockable and not table.readable]
    if closed:
        raise DbPermission(f"{place}: no SELECT on {shorten(closed)}", server=place, tables=closed)
    hidden = [table.label for table in tables if table.has_rows and table.hides_rows]
    if hidden:
        raise DbRowSecurity(f"{place}: row security applies to {shorten(hidden)}", server=place, tables=hidden)


def shorten(names: List[str]) -> str:
    """The names as one text, cut where there are too many."""
    if len(names) <= NAMES_SHOWN:
        return ", ".join(names)
    shown = ", ".join(names[:NAMES_SHOWN])
    return f"{shown} and {len(names) - NAMES_SHOWN} more"
