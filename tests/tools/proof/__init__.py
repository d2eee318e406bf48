# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the verification can be trusted: hostile files, mutated files, flipped bits, other programs."""

from __future__ import annotations

import sys

from tools.paths import COLLECTIONS

if str(COLLECTIONS) not in sys.path:  # beside pytest, which has it there, this is a command of its own
    sys.path.insert(0, str(COLLECTIONS))
