# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the transport's tests; see ``transport_kit``."""

from __future__ import annotations

from unit.plugins.plugin_utils.transport_kit import _ansibles_plugins, clock, run_task, shown

__all__ = ["_ansibles_plugins", "clock", "run_task", "shown"]
