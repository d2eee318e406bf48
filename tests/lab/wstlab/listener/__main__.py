# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m wstlab.listener SETTINGS``: serve one host until SIGTERM."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

from .host import Host, Settings


def main() -> None:
    """Serve; the log goes to standard error."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("spnego").setLevel(logging.ERROR)
    host = Host(Settings.load(Path(sys.argv[1])))
    signal.signal(signal.SIGTERM, lambda *_: host.stopped.set())
    signal.signal(signal.SIGINT, lambda *_: host.stopped.set())
    host.serve()


if __name__ == "__main__":
    main()
