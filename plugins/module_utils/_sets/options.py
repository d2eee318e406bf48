# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that the modules about sets share; ``doc_fragments/sets.py`` documents them."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

from ansible_collections.wst.backup.plugins.module_utils._errors import InputInvalid
from ansible_collections.wst.backup.plugins.module_utils._names import check_prefix
from ansible_collections.wst.backup.plugins.module_utils._sets.files import LOCAL, MIRROR, Layer

ROOT = "C:\\wst-control"
LOCAL_DIR = "C:\\wst-backups"
MIRROR_DIR = "D:\\wst-backups"
PREFIX = "wst-backup"


def set_options() -> Dict[str, Any]:
    """Where the host's records are, and what sets are called."""
    return {"root": {"type": "path", "default": ROOT}, "prefix": {"type": "str", "default": PREFIX}}


def layer_options() -> Dict[str, Any]:
    """The layers to look at."""
    return {
        "layers": {
            "type": "list",
            "elements": "dict",
            "required": True,
            "options": {
                "name": {"type": "str", "required": True, "choices": [LOCAL, MIRROR]},
                "path": {"type": "path", "required": True},
            },
        },
    }


def layers_of(params: Mapping[str, Any]) -> List[Layer]:
    """The layers that were given; raises ``InputInvalid`` for one named twice, or a prefix that is no file name."""
    check_prefix(params["prefix"])
    layers = [Layer(one["name"], one["path"]) for one in params["layers"]]
    if len({layer.name for layer in layers}) != len(layers):
        raise InputInvalid("a layer is named twice", layers=[layer.name for layer in layers])
    return layers
