# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the options of ``module_utils/_restore/options.py``, and what a restore needs."""

from __future__ import annotations


class ModuleDocFragment:
    """Which artifact, and what of it."""

    DOCUMENTATION = r"""
options:
  root:
    description: Directory of the host's own records (lock, audit log, holds, scratch directory).
    type: path
    default: C:\wst-control
  path:
    description:
      - The artifact, by the path of its ZIP on a layer. While it is read, M(wst.backup.backup_retention) does not
        remove its set.
    type: path
    required: true
  sidecar:
    description: The sidecar to hold the ZIP against. By default, the one beside O(path) if there is one.
    type: path
  parts:
    description:
      - What of the artifact is meant. V(files) are the trees of the sources, V(dump) is the database dump, V(roles) is
        C(roles.sql).
    type: list
    elements: str
    choices: [files, dump, roles]
    default: [files, dump, roles]
  include:
    description:
      - Patterns of what is meant, on paths in the artifact, which begin with their source's name, such as
        V(wst/config/*.json). Without any, everything is meant.
      - A pattern without a slash is compared with names at any depth, C(**) stands for any number of directories, and
        case never matters. What is below a directory that matches is meant with it.
    type: list
    elements: str
    default: []
  exclude:
    description: Patterns of what is not meant after all.
    type: list
    elements: str
    default: []
"""

    AUTHORITY = r"""
options: {}
notes:
  - It needs proven authority. L5 is enough for directories that the host's authority record says are not production,
    and for its scratch directory; everything else is production and needs L6. The token comes from variable
    C(wst_backup_authority_token), which is best kept in a vault of its level, and never stands in a parameter. Every
    grant and refusal is in the audit log.
"""
