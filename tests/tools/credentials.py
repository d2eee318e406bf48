# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for credentials in tracked files: keys and tokens anywhere, literal passwords outside of the unit tests.

A value that stands for a secret without being one (a template, a vault tag, a path, an empty text, a placeholder in
angle brackets) is no finding. A line that must look like a secret says so with ``not-a-secret: why``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.paths import ROOT, tracked_files

MARK = re.compile(r"not-a-secret: \S+")

TOKENS = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "Azure storage key": re.compile(r"\bAccountKey=[A-Za-z0-9+/]{40,}={0,2}"),
    "Azure shared access signature": re.compile(r"[?&]sig=[A-Za-z0-9%+/]{30,}"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})"),
    "Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}"),
    "JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    "password in a URL": re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s:/@{}<>'\"$%]+:[^\s:/@{}<>'\"$%]+@"),
}
SECRET_NAME = r"[A-Za-z0-9_]*(?:password|passwd|secret|token|api_?key|access_?key|credential)"
ASSIGNMENTS = (
    # YAML, ini and shell: a bare or quoted value; Python and JSON: a quoted one.
    (
        re.compile(rf"^\s*(?:-\s+|export\s+)?({SECRET_NAME})\s*[:=]\s*([^#\n]*)", re.IGNORECASE),
        (".yml", ".yaml", ".ini", ".cfg", ".sh", ".toml", ""),
    ),
    (
        re.compile(rf"\b({SECRET_NAME})[\"']?\s*[:=]\s*[rbu]?(\"[^\"\n]*\"|'[^'\n]*')", re.IGNORECASE),
        (".py", ".json", ".ps1", ".md", ".j2"),
    ),
)
HARMLESS = re.compile(
    r"""
    ^$ | ^[|>][-+]?$ | {{ | ^!vault | ^<[^>]*>$ | ^\$ | ^\*+$ | ^(?:true|false|yes|no|null|none|~|\[\]|{})$
    | ^VALUE_SPECIFIED_IN_NO_LOG_PARAMETER$ | ^(?:str|bool|int|path|raw|dict|list)$ | ^Optional
    | ^[~^]?\d+(?:\.\d+){1,2}$  # a version, of a package whose name ends like that
    | ^[A-Za-z]:\\ | ^/ | \.key$ | ^(?:changeme|example|placeholder)$
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Unit tests hand invented passwords to the code under test and look for them where they must not be.
INVENTED = ("tests/unit/", "tests/lab/tests/", "tests/integration/")
BINARY = frozenset({".zip", ".gz", ".xz", ".whl", ".png", ".ico", ".backup"})


def main() -> int:
    """Report every finding; 0 when there is none, 2 when there was nothing to read."""
    paths = [path for path in tracked_files() if path.suffix not in BINARY]
    if not paths:
        print("no tracked files")
        return 2
    findings = [finding for path in paths for finding in scan_file(ROOT, path)]
    print(*findings, f"{len(paths)} files, {len(findings)} findings", sep="\n")
    return 1 if findings else 0


def scan_file(root: Path, path: Path) -> Iterator[str]:
    """Findings in one file as ``path:line: what``; the value itself is never repeated."""
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        if not MARK.search(line):
            for what in scan_line(line, path=path.as_posix()):
                yield f"{path.as_posix()}:{number}: {what}"


def scan_line(line: str, *, path: str) -> Iterator[str]:
    """What in a line looks like a credential."""
    invented = path.startswith(INVENTED)
    for what, pattern in TOKENS.items():
        if pattern.search(line) and not (invented and what == "password in a URL"):
            yield what
    if invented:
        return
    suffix = Path(path).suffix
    for pattern, suffixes in ASSIGNMENTS:
        if suffix in suffixes:
            for name, value in pattern.findall(line):
                bare = value.strip().strip("'\"").strip()
                # SECRET = "secret" names a kind of thing
                if not HARMLESS.search(bare) and bare.lower() not in name.lower():
                    yield f"literal value for {name}"


if __name__ == "__main__":
    sys.exit(main())
