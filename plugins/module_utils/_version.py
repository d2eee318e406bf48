# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's version, as it stands in manifests. The host has no galaxy.yml to read it from."""

from __future__ import annotations

VERSION = "0.1.0"
