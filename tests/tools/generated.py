# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the pages of ``docs/`` that are made from code; without ``--write`` it only says which are stale."""

from __future__ import annotations

import argparse
import difflib
import sys

from tools import assurance_pages, error_table
from tools.paths import COLLECTIONS, ROOT

PAGES = {
    "docs/errors.md": error_table.page,
    "docs/auditor.md": assurance_pages.auditor_page,
    "docs/monitoring.md": assurance_pages.monitoring_page,
}


def main(argv: list[str] | None = None) -> int:
    """Check or write the pages; 1 when one is stale or cannot be made."""
    parser = argparse.ArgumentParser(description="The pages that are made from code.")
    parser.add_argument("--write", action="store_true", help="write them instead of checking them")
    options = parser.parse_args(argv)
    sys.path.insert(0, str(COLLECTIONS))
    stale = 0
    for name, build in PAGES.items():
        path = ROOT / name
        try:
            wanted = build()
        except error_table.TableError as exc:
            print(exc)
            return 1
        if options.write:
            path.write_text(wanted, encoding="utf-8")
            continue
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        sys.stdout.writelines(difflib.unified_diff(found.splitlines(True), wanted.splitlines(True), "is", "should be"))
        print(f"{name} is {'up to date' if found == wanted else 'stale: run make docs'}")
        stale += found != wanted
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
