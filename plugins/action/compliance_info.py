# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries the module ``compliance_info`` to the host, with what the control node knows of its audit log."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.plugin_utils._anchored import AnchoredAction


class ActionModule(AnchoredAction):
    """See the module's documentation."""

    runs_as = "attached"
