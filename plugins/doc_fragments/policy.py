# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents the options of ``module_utils/_retention/options.py``."""

from __future__ import annotations


class ModuleDocFragment:
    """How many sets are kept, and how long."""

    DOCUMENTATION = r"""
options:
  keep_min:
    description: So many of the newest sets that count always stay, whatever their age. At least 1.
    type: int
    default: 7
  keep_max:
    description: Sets beyond so many newest may go, once they are old enough. Not less than O(keep_min).
    type: int
    default: 14
  min_age_days:
    description:
      - No set younger than this goes.
      - Where this and O(keep_max) disagree, which they do above two runs a day, this one wins and the result says so.
    type: int
    default: 7
  keep_daily:
    description:
      - Thinning for schedules of several runs a day. Of so many days beyond O(min_age_days), the newest set stays
        although it is beyond O(keep_max).
      - V(0) keeps none of them.
    type: int
    default: 0
"""
