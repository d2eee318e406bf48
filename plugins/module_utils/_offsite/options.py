# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options about the offsite container, and what opens it; ``doc_fragments/offsite.py`` documents them."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Dict, Iterator, Mapping

from ansible_collections.wst.backup.plugins.module_utils._clock import utc_now
from ansible_collections.wst.backup.plugins.module_utils._fs import translate_oserror
from ansible_collections.wst.backup.plugins.module_utils._layout import HostLayout
from ansible_collections.wst.backup.plugins.module_utils._offsite.client import managed_identity, opened
from ansible_collections.wst.backup.plugins.module_utils._offsite.place import Place, place_of
from ansible_collections.wst.backup.plugins.module_utils._offsite.retrying import Patience
from ansible_collections.wst.backup.plugins.module_utils._offsite.sas import check_sas, read_sas
from ansible_collections.wst.backup.plugins.module_utils._offsite.store import Store
from ansible_collections.wst.backup.plugins.module_utils._pg.key import refused
from ansible_collections.wst.backup.plugins.module_utils._platform import api as platform

SAS, MANAGED = IDENTITIES = ("sas", "managed")
PATIENCE = Patience()


def container_options() -> Dict[str, Any]:
    """Where the container is, and who asks."""
    return {
        "account_url": {"type": "str", "required": True},
        "container": {"type": "str", "required": True},
        "blob_prefix": {"type": "str", "required": True},
        "identity": {"type": "str", "choices": list(IDENTITIES), "default": SAS},
        "client_id": {"type": "str"},
        "key_file": {"type": "path", "no_log": False},
    }


def place_from(params: Mapping[str, Any]) -> Place:
    """The place that ``container_options`` gave; raises ``InputInvalid``."""
    return place_of(params["account_url"], params["container"], params["blob_prefix"])


@contextlib.contextmanager
def store_from(params: Mapping[str, Any], *, warn: Callable[[str], None]) -> Iterator[Store]:
    """The container, open for the block.

    Raises ``InputInvalid``, ``OffsiteSdkMissing``, ``OffsiteKeyUnusable``, ``OffsiteUnauthorised`` (the SAS says itself
    that it has ended or does not suffice), ``KeyPermissions`` (others may read it), ``PathUnusable``.
    """
    place = place_from(params)
    if params["identity"] == MANAGED:
        with managed_identity(params["client_id"]) as credential, opened(place, credential, PATIENCE) as store:
            yield store
        return
    path = params["key_file"] or HostLayout(params["root"]).offsite_key_file
    sas = read_sas(path)
    require_closed(path)
    for warning in check_sas(sas, utc_now()):
        warn(warning)
    with opened(place, sas.token, PATIENCE) as store:
        yield store


def require_closed(path: str) -> None:
    """Raises ``KeyPermissions`` where others than this account, SYSTEM and Administrators may read the SAS."""
    if not os.path.lexists(platform.long_path(path)):
        return
    try:
        open_to = platform.access_problems(path, None)
    except OSError as error:
        raise translate_oserror(error, path) from error
    if open_to:
        raise refused(f"{path} is open: {'; '.join(open_to)}", path, open_to=open_to)
