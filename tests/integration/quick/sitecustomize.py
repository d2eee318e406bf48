# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the plays of one test session share the modules that Ansible has packed: packing is a third of a play's work.

Ansible keeps packed modules in its temporary directory, which is a new one for each play. Python imports this file when
it starts, where ``World.environment`` has put it on the path.
"""

from __future__ import annotations

import os
import sys

SHARED = os.environ.get("WST_TEST_PACKED_MODULES")
if SHARED and os.path.basename((sys.argv or [""])[0]) == "ansible-playbook":
    from ansible import constants

    os.symlink(SHARED, os.path.join(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache"))
