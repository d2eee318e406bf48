# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens: how strong one must be, and what the host keeps of it, which does not give it away."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import dataclass
from typing import Any, Dict, Optional

SHORTEST, LONGEST = 20, 256  # characters
FEWEST_DIFFERENT = 10  # characters
SALT_BYTES, HASH_BYTES = 16, 32

# 32 MiB and about a tenth of a second for each guess. Larger values in a record are taken up to the limits below.
N, R, P = 1 << 15, 8, 1
_MOST_N, _MOST_R, _MOST_P = 1 << 20, 32, 16
_HEX = re.compile(r"(?:[0-9a-f]{2})+", re.ASCII)


@dataclass(frozen=True)
class TokenHash:
    """What scrypt made of a token, with all that is needed to do it again. ``salt`` and ``digest`` are hexadecimal."""

    n: int
    r: int
    p: int
    salt: str
    digest: str

    def as_body(self) -> Dict[str, Any]:
        """As it stands in the record."""
        return {"kdf": "scrypt", "n": self.n, "r": self.r, "p": self.p, "salt": self.salt, "digest": self.digest}

    def matches(self, token: str) -> bool:
        """Whether it was made of that token. Takes the same time for every wrong one."""
        return hmac.compare_digest(bytes.fromhex(self.digest), _scrypt(token, self))


def hash_of(token: str) -> TokenHash:
    """A new hash with a salt of its own."""
    bare = TokenHash(n=N, r=R, p=P, salt=os.urandom(SALT_BYTES).hex(), digest="00" * HASH_BYTES)
    return TokenHash(n=N, r=R, p=P, salt=bare.salt, digest=_scrypt(token, bare).hex())


def hash_from(body: Dict[str, Any]) -> TokenHash:
    """The hash in a record; raises ValueError, KeyError or TypeError for anything else."""
    if body["kdf"] != "scrypt":
        raise ValueError("not scrypt")
    numbers = [body[name] for name in ("n", "r", "p")]
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise ValueError("scrypt's parameters are whole numbers")
    n, r, p = numbers
    if not (2 <= n <= _MOST_N and n & (n - 1) == 0 and 1 <= r <= _MOST_R and 1 <= p <= _MOST_P):
        raise ValueError("parameters that scrypt does not take")
    salt, digest = body["salt"], body["digest"]
    if not (_HEX.fullmatch(salt) and _HEX.fullmatch(digest) and len(salt) == 2 * SALT_BYTES):
        raise ValueError("salt and digest are hexadecimal")
    if len(digest) != 2 * HASH_BYTES:
        raise ValueError("a digest of another length")
    return TokenHash(n=n, r=r, p=p, salt=salt, digest=digest)


def weakness(token: str) -> Optional[str]:
    """Why it cannot be a token, without any of it; None for one that can.

    Printable ASCII, so that no editor, code page or shell makes another token of it.
    """
    if not SHORTEST <= len(token) <= LONGEST:
        return f"has {len(token)} characters; {SHORTEST} to {LONGEST} are taken"
    if any(not "!" <= character <= "~" for character in token):
        return "has characters other than printable ASCII, or spaces"
    if len(set(token)) < FEWEST_DIFFERENT:
        return f"has fewer than {FEWEST_DIFFERENT} different characters"
    return None


def _scrypt(token: str, how: TokenHash) -> bytes:
    memory = 128 * how.r * (how.n + how.p) + (1 << 20)  # bytes; OpenSSL's own limit is the need of N itself
    secret = token.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(
        secret, salt=bytes.fromhex(how.salt), n=how.n, r=how.r, p=how.p, maxmem=memory, dklen=HASH_BYTES
    )
