# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the options of ``plugin_utils/_azure_options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """Which server in Azure is meant, and who asks."""

    DOCUMENTATION = r"""
requirements:
  - azure-identity
  - azure-mgmt-postgresqlflexibleservers >= 3.0.0
options:
  subscription:
    description: Id of the subscription. By default that of E(AZURE_SUBSCRIPTION_ID).
    type: str
  resource_group:
    description: The server's resource group.
    type: str
    required: true
  server:
    description: The server's name, without domain.
    type: str
    required: true
  cloud:
    description: Which of Azure's clouds it is in.
    type: str
    choices: [public, usgovernment, china]
    default: public
  endpoint:
    description:
      - URL of a resource manager that is none of these clouds', such as that of a private one. Its logins are those of
        E(AZURE_AUTHORITY_HOST).
    type: str
  timeout:
    description:
      - Seconds, V(1) to V(600), that all of it may take. Requests that Azure turns away for a while are made
        again within this time, when Azure says so.
    type: int
    default: 60
notes:
  - No parameter holds a secret. The identity is that of the environment of C(ansible-playbook), which is
    E(AZURE_CLIENT_ID), E(AZURE_TENANT_ID) (or E(AZURE_TENANT)) and E(AZURE_CLIENT_SECRET) (or E(AZURE_SECRET), as an
    AWX credential for Azure sets it). Without them it is what C(azure-identity) finds, a workload identity, a managed
    identity, or C(az login). The keyword C(environment) of a task does not reach it.
"""
