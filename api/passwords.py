"""Operators' passwords: Argon2id, in threads, a few at a time, because each takes 64 MB and some 50 ms."""

import asyncio
from typing import Final

import argon2
from argon2 import exceptions

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 200
_AT_ONCE_MAX: Final = 2


class Passwords:
    """Hashes and checks passwords. One a process."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher()
        self._turns = asyncio.Semaphore(_AT_ONCE_MAX)
        # The hash of nobody's password: checking it takes an unknown person as long as a known one.
        self._nobodys: str | None = None

    async def hashed(self, password: str) -> str:
        """What is kept of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether this is the password; as slow for None, where there is nobody, as for somebody."""
        if self._nobodys is None:
            self._nobodys = await self.hashed("nobody's password")
        is_known = password_hash is not None and len(password) <= LENGTH_MAX
        known = password_hash if password_hash is not None and is_known else self._nobodys
        async with self._turns:
            is_right = await asyncio.to_thread(self._verified, known, password[:LENGTH_MAX])
        return is_right and is_known

    def _verified(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (exceptions.VerificationError, exceptions.InvalidHashError):
            return False
