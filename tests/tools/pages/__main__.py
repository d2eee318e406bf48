# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes every page into a directory, to look at it: ``python -m tools.pages [DIRECTORY]``."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.paths import CACHE, COLLECTIONS

if str(COLLECTIONS) not in sys.path:
    sys.path.insert(0, str(COLLECTIONS))


def main() -> int:
    """Write them, and a report of 100 hosts with a year of runs; always 0."""
    from ansible_collections.wst.backup.plugins.plugin_utils._report_page import page
    from tools.pages.cases import all_pages
    from tools.pages.fleet import fleet

    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else CACHE / "pages"
    directory.mkdir(parents=True, exist_ok=True)
    pages = {**all_pages(), "fleet-large": page(fleet(seed=7, hosts=100))}
    for name, text in pages.items():
        (directory / f"{name}.html").write_text(text, encoding="utf-8", newline="\n")
        print(directory / f"{name}.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
