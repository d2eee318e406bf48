# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the options of ``module_utils/_offsite/options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """Where the offsite container is, and who asks."""

    DOCUMENTATION = r"""
options:
  root:
    description: Directory of the host's own records, such as what is known of the copies.
    type: path
    default: C:\wst-control
  account_url:
    description:
      - URL of the storage account, such as V(https://wstbackups.blob.core.windows.net). A SAS in it is refused.
      - V(http://) is taken for a server of this very host only.
    type: str
    required: true
  container:
    description: The container. It is never made here.
    type: str
    required: true
  blob_prefix:
    description:
      - What the names of this host's blobs begin with. Names parted by V(/). No other host may have the same.
    type: str
    required: true
  identity:
    description:
      - Who asks. V(sas) is who has the SAS of O(key_file).
      - V(managed) is the identity that Azure gave the host, by C(azure-identity).
    type: str
    choices: [sas, managed]
    default: sas
  client_id:
    description: Client id of the managed identity, where the host has several.
    type: str
  key_file:
    description:
      - The file with the SAS and nothing else. By default C(offsite.key) below O(root).
      - M(wst.backup.offsite_key) writes it.
    type: path
requirements:
  - azure-storage-blob 12.14 or newer in the host's Python, which must be 3.10 or newer for its current versions
  - azure-identity 1.12 or newer, with O(identity=managed)
"""
