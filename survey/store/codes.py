"""Access codes: made from a key that is not in the database, stored as keyed hashes.

Whoever reads the database alone can neither use nor guess a code. The key stands in a
file beside the database, or in the environment variable ``PUSHAWAY_KEY``; with it the
researcher can print every invitation again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from survey.errors import StoreError
from survey.store.database import url_of

Kind: TypeAlias = Literal["invitation", "resume", "receipt"]

#: Characters of a code, five bits each: an invitation is not typed, the others may be.
LENGTH: Final[dict[Kind, int]] = {"invitation": 26, "resume": 16, "receipt": 16}
VARIABLE: Final = "PUSHAWAY_KEY"
#: Hex digits of what a person's codes are made from.
NONCE: Final = 32
#: Letters and digits nobody takes for one another.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Key:
    """The secret that codes are made and checked with; never shown or logged."""

    secret: bytes

    def __repr__(self) -> str:
        """Keep the secret out of logs and tracebacks."""
        return "Key(...)"

    def sign(self, purpose: str, text: str) -> str:
        """Sign a text for one purpose, 64 hex digits."""
        message = f"{purpose}\x00{text}".encode()
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()

    def code(self, kind: Kind, nonce: str) -> str:
        """Make the code of a person, who is known by a nonce."""
        message = f"code\x00{kind}\x00{nonce}".encode()
        digest = hmac.new(self.secret, message, hashlib.sha256).digest()
        return base64.b32encode(digest).decode()[: LENGTH[kind]].lower()

    def hash_of(self, kind: Kind, code: str) -> str:
        """Hash a code as it is stored; spaces, hyphens and case do not matter."""
        return self.sign(f"access {kind}", normal(code))

    @property
    def check(self) -> str:
        """What a study keeps to tell that this is its key."""
        return self.sign("check", "study")


def normal(code: str) -> str:
    """Bring a code that was typed to the form it was made in.

    Codes have no 0, 1, 8 or 9; what looks like a letter is taken for it.
    """
    bare = re.sub(r"[\s\-]+", "", code[:200]).lower()
    return bare.translate(str.maketrans("018", "oib"))


def spaced(code: str) -> str:
    """Spell a code in groups of four, as it is shown."""
    return "-".join(code[k : k + 4] for k in range(0, len(code), 4))


def key_for(database: str | Path, *, make: bool = False) -> Key:
    """Find the key of a database.

    Parameters
    ----------
    make
        Make one where there is none; else that is an error.

    Raises
    ------
    StoreError
        If there is none, or it is not a key.
    """
    if text := os.environ.get(VARIABLE, ""):
        return _read(text, f"the environment variable {VARIABLE}")
    place = key_file(database)
    if place is None:
        raise StoreError(
            f"key: a PostgreSQL database wants the environment variable {VARIABLE}. "
            f"Set it to 64 hex digits, e.g. the output of `openssl rand -hex 32`, and "
            "keep them: without the key no invitation and no receipt works."
        )
    if place.exists():
        return _read(place.read_text(encoding="ascii"), str(place))
    if not make:
        raise StoreError(
            f"{place}: there is no key, without which no access code can be checked. "
            f"Put the file back, or set {VARIABLE}."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    secret = secrets.token_hex(32)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(secret + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return _read(secret, str(place))


def key_file(database: str | Path) -> Path | None:
    """Name the file that holds the key of a database; None for PostgreSQL."""
    url = url_of(database)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(f"{url.database}.key")


def _read(text: str, place: str) -> Key:
    if not re.fullmatch(r"[0-9a-f]{64}", text.strip()):
        raise StoreError(
            f"{place}: found something that is no key (64 hex digits). Restore the key "
            "the study was begun with."
        )
    return Key(bytes.fromhex(text.strip()))


def new_nonce() -> str:
    """Draw what a person's codes are made from, `NONCE` hex digits."""
    return secrets.token_hex(NONCE // 2)


def new_name() -> str:
    """Draw the name a respondent has in the data: short, says nothing."""
    return "r" + "".join(secrets.choice(_ALPHABET) for _ in range(9))
