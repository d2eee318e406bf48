# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the options of ``module_utils/_mirror/options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """What is accepted of the mirror's volume, and where the two layers are."""

    DOCUMENTATION = r"""
options:
  accept_unknown_volume_facts:
    description:
      - Facts about the mirror's volume that may be unknown. By default, what the host cannot tell counts as wrong.
      - Only an unknown fact is accepted by this, never a bad one. Every acceptance is a warning in every result.
      - Write beside it in the inventory who accepted it, when and why.
    type: list
    elements: str
    choices: [compressed, disk, filesystem, kind, label, read_only]
    default: []
  allow_same_disk:
    description:
      - Accept a mirror on the same physical disk as what it mirrors. Such a copy is lost together
        with its original, so this is for test hosts.
      - A warning in every result says that it was accepted.
    type: bool
    default: false
"""

    DIRECTORIES = r"""
options:
  local_dir:
    description: Directory of the local layer.
    type: path
    default: C:\wst-backups
  mirror_dir:
    description: Directory of the mirror.
    type: path
    default: D:\wst-backups
"""
