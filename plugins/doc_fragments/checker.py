# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the option of ``module_utils/_sets/checker.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """The independent check beside the sets."""

    DOCUMENTATION = r"""
options:
  checker:
    description:
      - Path, on the control node, of the program that proves a set without this collection. It is put beside the sets
        as C(check_artifact.py), read back, and replaced where it differs. Role C(backup) has it among its files.
      - Where it cannot be written there, the task warns and the sets are what they were.
      - Nothing is put there without it.
    type: str
"""
