# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the option of ``module_utils/_archive/options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """What is backed up."""

    DOCUMENTATION = r"""
options:
  sources:
    description: Directories that go into the artifact, each below its own name.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the directory in the artifact.
        type: str
        required: true
      path:
        description: Where it is on the host.
        type: path
        required: true
      exclude:
        description:
          - Patterns of what to leave out. Without a slash a pattern is compared with names at any depth (V(*.log)),
            with one with the whole path below the source (V(node_modules/.cache), V(**/tmp)). A trailing slash
            matches directories only. V(*) and V(?) never cross a slash, V(**) stands for any number of directories,
            brackets are literal, and case does not matter. What lies below a matching directory is left out with it.
        type: list
        elements: str
        default: []
      allow_unreadable:
        description: Patterns of files and directories that may be missing from the artifact when they cannot be read.
        type: list
        elements: str
        default: []
      allow_changed:
        description: Patterns of files that may be inconsistent, or missing, when they change while they are read.
        type: list
        elements: str
        default: []
      follow_root:
        description: Whether O(sources[].path) may itself be a link or junction. It is resolved once.
        type: bool
        default: false
"""
