# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real blob server for this directory's tests, and a proxy before it that breaks things."""

from __future__ import annotations

from offsite.fixtures import azurite_server, prefix, proxy

__all__ = ["azurite_server", "prefix", "proxy"]
