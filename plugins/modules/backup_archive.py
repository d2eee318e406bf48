#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: backup_archive
short_description: Pack source directories and the run's database dump into one ZIP
version_added: 0.1.0
description:
  - Streams every source directory, the dump and C(roles.sql) of this run into C(<prefix>-YYYYMMDD-HHMMSS.zip) under a
    partial name in O(local_dir), with a member list and a manifest, and leaves C(archive.json) in the run's workspace.
  - The archive is a plain ZIP. Links are recorded in the member list and not followed. Times are in UTC.
  - Files are opened so that others can read, write, rename and delete them meanwhile. A file that only grows is stored
    at the size it had when it was opened; one that changes otherwise is read again up to three times.
  - The key file, everything below O(root), O(local_dir) and O(mirror_dir), and O(secrets) never get in, under whatever
    name.
  - Where O(mirror_volume_id) is given and nothing speaks against that volume, in the judgement that
    M(wst.backup.backup_mirror) uses, a thread writes the mirror's copy meanwhile, under a partial name. It is a head
    start for M(wst.backup.backup_mirror), which goes on with it and proves it. The archive never waits for the mirror's
    disk, and nothing that goes wrong there matters here.
  - It is the first half of a step whose second half is M(wst.backup.backup_verify); nothing is published by it.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.attributes.job
  - wst.backup.sources
  - wst.backup.mirror
attributes:
  check_mode:
    support: full
    details: Walks the sources and returns what would be archived; neither the dump nor the run's lock is needed then.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each call makes the run's artifact anew.
options:
  root:
    description: The directory on the host that holds the key, the lock, the audit log and the runs' workspaces.
    type: path
    default: C:\wst-control
  local_dir:
    description: The local layer's directory, where the partial artifact is written.
    type: path
    default: C:\wst-backups
  mirror_dir:
    description: The mirror layer's directory. No source takes it in.
    type: path
    default: D:\wst-backups
  mirror_volume_id:
    description:
      - The id of the volume that must be the mirror, as M(wst.backup.mirror_init) returned it. Without it, nothing is
        written to the mirror meanwhile.
    type: str
    default: ''
  prefix:
    description: Beginning of the artifact's name.
    type: str
    default: wst-backup
  environment_name:
    description: Name of the environment (development, test, production), recorded in the manifest.
    type: str
    default: ''
  dump_name:
    description: Name of the dump in the workspace and in the artifact.
    type: str
    default: wst_dev_database.backup
  compression_level:
    description:
      - Deflate level, 1 (fast) to 9 (small), as zlib counts them; other libraries use the one of theirs that makes
        about the same size. Files that are compressed already, and the dump, are only stored.
    type: int
    choices: [1, 2, 3, 4, 5, 6, 7, 8, 9]
    default: 6
  compression_engine:
    description:
      - What compresses. The archive is a plain ZIP in any case; libraries, versions and levels stand in its manifest.
    type: str
    choices:
      auto: The faster libraries, as far as the Python on the host has them in versions that are good enough.
      zlib: The zlib of the Python on the host.
      accelerated: Libdeflate (package C(deflate), 0.9 or newer) and zlib-ng (package C(zlib-ng)); fails with
        C(tool_missing) where one of them cannot be used.
      fast: ISA-L (package C(isal)), for the least time at the size of zlib's first level, whatever
        O(compression_level) says. It does not promise the same bytes for the same files. Fails with C(tool_missing)
        where it cannot be used.
    default: auto
  compression_threads:
    description:
      - How many threads read and compress; 0 stands for one for each processor, 4 at most.
      - The archive's bytes do not depend on it, but for O(compression_engine=fast).
    type: int
    default: 0
  reuse:
    description:
      - Take over the compressed bytes of the newest set in O(local_dir) instead of compressing anew, for what has not
        changed. Every file is read all the same, and the old bytes are unpacked and compared with it before they are
        taken, so the archive is the same, byte for byte, as without this.
      - A set that was compressed by other libraries or levels is not made use of.
    type: bool
    default: true
  trust_days:
    description:
      - For so many days a file is not read again whose size, times and identity (volume and file number) are those that
        it had for the newest set in O(local_dir). Its compressed bytes are taken over from there, after their checksum
        was compared. After that many days everything is read once, and they begin anew. V(0) has every file read,
        always.
      - The times are that of the content and that of the last change of anything; programs can set the first one only.
        What was changed in the two seconds before the run before began to read, or later, is read, and so is everything
        on a file system that keeps no such time or no file numbers (FAT, some network shares).
      - It trades certainty for time. A content that changed without a trace (a failing disk, a driver that writes below
        the file system) stays unseen for so many days, and a disk that can no longer read a file is not found out. The
        manifest records it under C(trust), and every member list has what files are known again by.
      - At most 366. Needs O(reuse=true).
    type: int
    default: 0
  secrets:
    description: Further files that must never get in, by any of their names. The key file in O(root) always is one.
    type: list
    elements: path
    default: []
seealso:
  - module: wst.backup.backup_verify
  - module: wst.backup.pg_dump
"""

EXAMPLES = r"""
- name: Pack files and dump
  wst.backup.backup_archive:
    sources:
      - name: wst
        path: C:\wst\wst
        exclude: ['*.log', node_modules/.cache]
      - name: wst-api
        path: C:\wst\wst-api
    local_dir: C:\wst-backups
    environment_name: production
"""

RETURN = r"""
artifact:
  description: Name of the artifact without suffix. In check mode outside of a run, null.
  returned: success
  type: str
  sample: wst-backup-20261123-150000
partial:
  description: The partial ZIP; null in check mode.
  returned: success
  type: str
size:
  description: Size of the ZIP in bytes.
  returned: when not in check mode
  type: int
sha256:
  description: SHA-256 of the ZIP as it was written.
  returned: when not in check mode
  type: str
files:
  description: Files taken from the sources.
  returned: success
  type: int
directories:
  description: Directories taken from the sources.
  returned: success
  type: int
links:
  description: Links recorded.
  returned: success
  type: int
bytes:
  description: Size of the sources' files, unpacked.
  returned: success
  type: int
reused:
  description: The C(files) and C(bytes) among them whose compressed bytes were taken over from the set before.
  returned: when not in check mode
  type: dict
fed:
  description: The bytes of it that the mirror's disk was given meanwhile; M(wst.backup.backup_mirror) proves them.
  returned: when not in check mode
  type: int
unread:
  description: The C(files) and C(bytes) among those that were not read, see O(trust_days).
  returned: when not in check mode
  type: dict
notes:
  description:
    - What was left out or stored otherwise than it stood. C(counts) has the number of remarks by kind (V(grew),
      V(changed), V(unreadable), V(vanished), V(secret), V(streams), V(permissions)), C(first) the first thousand with
      path and reason, of the last two kinds the first hundred each.
  returned: success
  type: dict
"""

from functools import partial
from typing import Any, Dict, Mapping, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._archive.archive_step import Request, archive, preview
from ansible_collections.wst.backup.plugins.module_utils._archive.engine import AUTO, CHOICES
from ansible_collections.wst.backup.plugins.module_utils._archive.options import source_options, sources_of
from ansible_collections.wst.backup.plugins.module_utils._audit.log import AuditLog
from ansible_collections.wst.backup.plugins.module_utils._errors import BackupError
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._mirror.copy import SPACE_RESERVE
from ansible_collections.wst.backup.plugins.module_utils._mirror.inspect import inspect_mirror
from ansible_collections.wst.backup.plugins.module_utils._mirror.options import tolerance_of, volume_options
from ansible_collections.wst.backup.plugins.module_utils._sets.files import Layer
from ansible_collections.wst.backup.plugins.module_utils._sets.reusable import newest_like


def main() -> None:
    """Entry point."""
    module = AnsibleModule(argument_spec=_argument_spec(), supports_check_mode=True)
    _edge.run(module, lambda: _work(module.params, check_mode=module.check_mode))


def _argument_spec() -> Dict[str, Any]:
    return {
        "root": {"type": "path", "default": r"C:\wst-control"},
        **source_options(),
        "local_dir": {"type": "path", "default": r"C:\wst-backups"},
        "mirror_dir": {"type": "path", "default": r"D:\wst-backups"},
        "mirror_volume_id": {"type": "str", "default": ""},
        **volume_options(),
        "prefix": {"type": "str", "default": "wst-backup"},
        "environment_name": {"type": "str", "default": ""},
        "dump_name": {"type": "str", "default": "wst_dev_database.backup"},
        "compression_level": {"type": "int", "choices": list(range(1, 10)), "default": 6},
        "compression_engine": {"type": "str", "choices": list(CHOICES), "default": AUTO},
        "compression_threads": {"type": "int", "default": 0},
        "reuse": {"type": "bool", "default": True},
        "trust_days": {"type": "int", "default": 0},
        "secrets": {"type": "list", "elements": "path", "default": [], "no_log": False},
    }


def _work(params: Mapping[str, Any], *, check_mode: bool) -> Dict[str, Any]:
    layout = HostLayout(params["root"])
    local = Layer("local", params["local_dir"])
    request = Request(
        layout=layout,
        sources=sources_of(params),
        local_dir=params["local_dir"],
        mirror_dir=params["mirror_dir"],
        prefix=params["prefix"],
        environment=params["environment_name"],
        dump_name=params["dump_name"],
        level=params["compression_level"],
        engine=params["compression_engine"],
        threads=params["compression_threads"],
        trust_days=params["trust_days"],
        may_feed=partial(_may_feed, params),
        secrets=params["secrets"],
        previous=partial(newest_like, local, prefix=params["prefix"]) if params["reuse"] else _no_set,
        audit_head=None if check_mode else _audit_head(layout),
    )
    return {"changed": True, **(preview(request) if check_mode else archive(request))}


def _may_feed(params: Mapping[str, Any], size: int) -> bool:
    """Whether the mirror takes so many bytes. What is wrong with it is for its own step to say."""
    if not params["mirror_volume_id"]:
        return False
    return not inspect_mirror(
        params["mirror_dir"],
        source_dir=params["local_dir"],
        expected_id=params["mirror_volume_id"],
        prefix=params["prefix"],
        tolerance=tolerance_of(params),
        needed=size + SPACE_RESERVE,
    ).problems


def _no_set(_compression: Mapping[str, Any]) -> None:
    return None


def _audit_head(layout: HostLayout) -> Optional[Dict[str, Any]]:
    """The log's head, or None for a log that cannot be read: it has failures of its own, and they stop no backup."""
    try:
        head = AuditLog(layout.audit_dir).head()
    except BackupError:
        return None
    return {"seq": head.seq, "hash": head.hash}


if __name__ == "__main__":
    main()
