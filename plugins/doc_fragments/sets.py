# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the options of ``module_utils/_sets/options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that the modules about sets share."""

    DOCUMENTATION = r"""
options:
  root:
    description: Directory of the host's own records (lock, audit log, runs, workspaces).
    type: path
    default: C:\wst-control
  prefix:
    description:
      - What the names of artifacts begin with.
      - Names are compared to the letter. Every other file on a layer is foreign. It is listed, never counts and is
        never removed.
    type: str
    default: wst-backup
"""

    LAYERS = r"""
options:
  layers:
    description: Layers to work on, each by itself.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Which layer this is. What is recorded of a set on one layer proves nothing on another.
        type: str
        required: true
        choices: [local, mirror]
      path:
        description: Its directory on the host.
        type: path
        required: true
"""

    RULING = r"""
options:
  artifact:
    description: Name of the set, such as V(wst-backup-20261123-120000).
    type: str
    required: true
  reason:
    description: Why, for those who ask later. At least five characters.
    type: str
    required: true
"""
