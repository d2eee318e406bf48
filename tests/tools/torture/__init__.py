# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random faults over whole runs, and what must hold after each of them. See ``__main__`` for how to run it.

A world is a host in a directory with a real PostgreSQL server. Each run is the role's own list of steps
(``roles/backup/tasks/steps.yml``), each step the real module in a process of its own, as the transport starts it.
"""

from __future__ import annotations

import sys

from tools.paths import COLLECTIONS

if str(COLLECTIONS) not in sys.path:  # beside pytest, which has it there, this is a command of its own
    sys.path.insert(0, str(COLLECTIONS))
