# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database and its client programs, as every module that logs in takes them."""

from __future__ import annotations


class ModuleDocFragment:
    """``wst.backup.database``; the specification beside it is ``_pg.options.argument_spec``."""

    DOCUMENTATION = r"""
options:
  database:
    description: The database and the connection to it. The password stands in the key file on the host, nowhere else.
    type: dict
    required: true
    suboptions:
      host:
        description: Host name of the server, as its certificate has it.
        type: str
        required: true
      port:
        description:
          - Port of the server itself.
          - V(6432), the connection pooler of Azure, is refused because snapshots and locks do not survive pooling.
        type: int
        default: 5432
      name:
        description: Name of the database.
        type: str
        required: true
      user:
        description: Role to log in as. It must be able to read every table, sequence and large object.
        type: str
        required: true
      sslmode:
        description:
          - How the server proves who it is.
          - V(verify-ca) does not check the host name and needs O(database.sslrootcert) as a file.
          - V(disable) is accepted for the loopback only.
        type: str
        choices: [verify-full, verify-ca, disable]
        default: verify-full
      sslrootcert:
        description:
          - PEM file on the host with the roots that are trusted, or V(system) for those that the client's OpenSSL
            trusts (libpq 16 or newer). With V(system), the environment variable E(SSL_CERT_FILE) can name a PEM file.
        type: str
        default: system
      connect_timeout:
        description: Seconds to wait for a connection, 2 to 600.
        type: int
        default: 15
  key_file:
    description:
      - File on the host that has the password and nothing else, printable ASCII without quotes and white space.
        One line end at its end is accepted.
      - By default C(db.key) below O(root).
    type: path
  tools_dir:
    description: Directory on the host with C(pg_dump) and C(pg_restore), of the server's major version or newer.
    type: path
    required: true
"""
