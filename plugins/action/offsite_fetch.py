# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries the module ``offsite_fetch`` to the host."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.plugin_utils._host_python import HostPythonAction


class ActionModule(HostPythonAction):
    """See the module's documentation."""

    runs_as = "job"
