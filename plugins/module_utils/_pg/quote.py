# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SQL text that we write ourselves, quoted as ``pg_dumpall`` does; for files, where no driver can do it."""

from __future__ import annotations

import re

# https://www.postgresql.org/docs/current/sql-syntax-lexical.html; keywords that fmtId() quotes are found by the server.
_BARE = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


def identifier(name: str) -> str:
    """A quoted name. Always quoted: bare would be right only for what is no keyword, now and in later versions."""
    return '"{}"'.format(name.replace('"', '""'))


def literal(text: str) -> str:
    """A string; with a backslash in it an E string, which means the same under every setting."""
    body = text.replace("'", "''")
    return "E'{}'".format(body.replace("\\", "\\\\")) if "\\" in body else f"'{body}'"


def parameter(name: str) -> str:
    """A setting's name: each part of ``extension.name`` is bare or quoted by itself."""
    return name if all(_BARE.fullmatch(part) for part in name.split(".")) else identifier(name)
