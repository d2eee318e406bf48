#!/usr/bin/python
# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_info
short_description: Tell every problem that would stop a backup
version_added: 0.1.0
description:
  - Examines the sources, the key file (and that of who restores, where there is one) and who may read it, the
    directories of the backup and who may enter them, the mirror's volume, the client programs, a login to the database
    over the configured encryption, and the space that the dump, the ZIP and its mirror need.
  - Looks on Windows at the limits of the WinRM shell, as far as the registry tells them, and warns of those that are
    too low and of those that it cannot read.
  - Reports every problem at once. The module fails with the code of the first one; all of them are in RV(problems).
  - Writes, reads back and removes a small file in every target directory, because only that shows whether a volume
    takes writes. O(mirror_dir) gets this probe only when nothing speaks against its volume. In check mode the probe is
    left out and nothing at all is written.
author:
  - wst.backup contributors (@wst-backup)
extends_documentation_fragment:
  - wst.backup.attributes
  - wst.backup.sets
  - wst.backup.sources
  - wst.backup.database
  - wst.backup.mirror
attributes:
  check_mode:
    support: full
    details: The write probe is left out.
  diff_mode:
    support: none
  idempotent:
    support: full
options:
  local_dir:
    description: Directory of the local layer.
    type: path
    default: C:\wst-backups
  mirror_dir:
    description: Directory of the mirror layer.
    type: path
    default: D:\wst-backups
  mirror_volume_id:
    description: The id of the volume that must be the mirror, as M(wst.backup.mirror_init) returned it.
    type: str
    required: true
  secrets:
    description:
      - Further files that must never get into an archive, as M(wst.backup.backup_archive) has them. The key file always
        is one.
    type: list
    elements: path
    default: []
  min_free:
    description: Bytes that must be left free on every volume after the run.
    type: int
    default: 0
  operator:
    description:
      - The account, by name or SID, that may use the directories and the key besides SYSTEM and Administrators.
      - By default the account that runs this.
    type: str
seealso:
  - module: wst.backup.mirror_init
  - module: wst.backup.pg_dump
  - module: wst.backup.backup_archive
"""

EXAMPLES = r"""
- name: Check what a run needs
  wst.backup.preflight_info:
    sources:
      - name: wst
        path: C:\wst\wst
      - name: wst-api
        path: C:\wst\wst-api
    mirror_volume_id: '{6f1f2c3a-0000-0000-0000-100000000000}'
    database:
      host: wst.postgres.database.azure.com
      name: wst_dev
      user: wst_backup
    tools_dir: C:\wst-control\runtime\pg17\bin
"""

RETURN = r"""
problems:
  description: Everything that would stop a run.
  returned: always
  type: list
  elements: dict
  contains:
    code:
      description: The stable name of the failure.
      type: str
      sample: key_malformed
    message:
      description: What was found.
      type: str
    remedy:
      description: What to do about it.
      type: str
    facts:
      description: The same as data.
      type: dict
code:
  description: The code of the first problem.
  returned: failure
  type: str
sources:
  description: What the sources hold.
  returned: when they are there
  type: dict
  sample: {files: 4711, directories: 320, links: 2, bytes: 104857600}
database:
  description: The server and the database; C(tls) is the protocol of the connection, C(database_size) is in bytes.
  returned: when the login succeeded
  type: dict
  sample:
    server_version: "17.10"
    server_version_num: 170010
    database_size: 73400320
    encoding: UTF8
    tables: 42
    tls: TLSv1.3
    large_objects: 3
tools:
  description: The versions of the client programs.
  returned: when they start
  type: dict
  sample: {pg_dump: "17.10", pg_restore: "17.10"}
shell_quotas:
  description:
    - The limits of the WinRM shell that a policy sets; null for one that could not be read.
    - Only policies have a documented place in the registry (and none is there for the envelope). What was set by other
      means, and defaults, show in playbook C(prove_host.yml).
  returned: on Windows
  type: dict
  sample: {MaxMemoryPerShellMB: 1024, MaxProcessesPerShell: null, MaxEnvelopeSizekb: null}
demand:
  description: The bytes that a run is expected to write for the dump and for the ZIP on each layer.
  returned: when the volumes could be asked
  type: dict
  sample: {dump: 20971520, zip: 83886080}
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.wst.backup.plugins.module_utils import _edge
from ansible_collections.wst.backup.plugins.module_utils._archive.options import source_options, sources_of
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._mirror.options import tolerance_of, volume_options
from ansible_collections.wst.backup.plugins.module_utils._pg import options as database_options
from ansible_collections.wst.backup.plugins.module_utils._preflight.examine import examine
from ansible_collections.wst.backup.plugins.module_utils._preflight.report import Request
from ansible_collections.wst.backup.plugins.module_utils._sets.options import LOCAL_DIR, MIRROR_DIR, set_options


def main() -> None:
    """The module."""
    module = AnsibleModule(argument_spec=_argument_spec(), supports_check_mode=True)
    _edge.run(module, lambda: _work(module))


def _argument_spec() -> Dict[str, Any]:
    return {
        **set_options(),
        **source_options(),
        **volume_options(),
        "key_file": {"type": "path", "no_log": False},
        "local_dir": {"type": "path", "default": LOCAL_DIR},
        "mirror_dir": {"type": "path", "default": MIRROR_DIR},
        "mirror_volume_id": {"type": "str", "required": True},
        "database": database_options.argument_spec(),
        "tools_dir": {"type": "path", "required": True},
        "secrets": {"type": "list", "elements": "path", "default": [], "no_log": False},
        "min_free": {"type": "int", "default": 0},
        "operator": {"type": "str"},
    }


def _work(module: AnsibleModule) -> Dict[str, Any]:
    report = examine(_request(module.params, probe=not module.check_mode))
    for warning in report.warnings:
        module.warn(warning)
    result = {"changed": False, "problems": [problem.as_problem() for problem in report.problems], **report.facts}
    if report.problems:
        _edge.fail(module, *report.problems, **result)
    return result


def _request(params: Dict[str, Any], *, probe: bool) -> Request:
    return Request(
        root=params["root"],
        key_file=params["key_file"] or HostLayout(params["root"]).key_file,
        sources=sources_of(params),
        local_dir=params["local_dir"],
        mirror_dir=params["mirror_dir"],
        mirror_volume_id=params["mirror_volume_id"],
        mirror_tolerance=tolerance_of(params),
        database=database_options.from_params(params["database"]),
        tools_dir=params["tools_dir"],
        prefix=params["prefix"],
        min_free=params["min_free"],
        operator=params["operator"] or None,
        probe=probe,
        secrets=params["secrets"],
    )


if __name__ == "__main__":
    main()
