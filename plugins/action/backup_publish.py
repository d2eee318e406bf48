# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries the module ``backup_publish`` to the host."""

from __future__ import annotations

from ansible_collections.wst.backup.plugins.plugin_utils._checker import CarriesChecker


class ActionModule(CarriesChecker):
    """See the module's documentation."""

    runs_as = "job"
