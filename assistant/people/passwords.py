"""Passwords: which are good enough, how they are kept, and one-time ones."""

import secrets
import unicodedata
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from assistant.errors import AccountError

SHORTEST, LONGEST = 10, 200  # characters
COMMON = frozenset(
    (
        "1234567890 0123456789 0987654321 12345678910 123456789a a123456789 1111111111 0000000000 8888888888 6666666666 "
        "1q2w3e4r5t qwertyuiop password12 password123 password1234 administrator passw0rd123 admin12345 admin123456 "
        "woaini1314 5201314520 iloveyou123 abcdefghij abc1234567 qwer123456 jiading123 jiading123456 shanghai123"
    ).split()
)
LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is taken for another
_hasher = PasswordHasher(
    time_cost=2, memory_cost=19_456, parallelism=1
)  # OWASP's least for argon2id, for small machines
_room = BoundedSemaphore(2)  # at once: each takes 19 MiB and a core
_NOBODYS = _hasher.hash(secrets.token_hex())


def check(name: str, password: str) -> None:
    """Raise AccountError for a password that is too short, the name, or one of the commonest."""
    if len(password) < SHORTEST:
        raise AccountError(f"密码至少{SHORTEST}个字符")
    if len(password) > LONGEST:
        raise AccountError(f"密码最多{LONGEST}个字符")
    plain = password.casefold().strip()
    if plain in COMMON or len(set(plain)) == 1 or plain == name.casefold():
        raise AccountError("密码不能是账号名，也不能是最常见的密码，请换一个")


def hashed(password: str) -> str:
    """Return what is kept of a password."""
    with _room:
        return _hasher.hash(_normal(password))


def matches(kept: str, password: str) -> bool:
    """Return whether a password is the one kept; it takes the same time where none is kept."""
    with _room:
        try:
            return _hasher.verify(kept or _NOBODYS, _normal(password)[:LONGEST]) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


def one_time() -> str:
    """Return a random password that can be read out."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
