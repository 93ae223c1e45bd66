"""A sign of life: asked for seldom, waited for shortly."""

import asyncio
import threading

import pytest

from assistant import pulse
from assistant.errors import StoreError
from assistant.pulse import Pulse


def test_many_who_look_ask_once() -> None:
    asked: list[int] = []

    async def look() -> list[bool]:
        one = Pulse(lambda: asked.append(1))
        return await asyncio.gather(*(one.beats() for _ in range(50)))

    assert asyncio.run(look()) == [True] * 50 and len(asked) == 1


def test_one_that_has_grown_old_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "FRESH_S", 0.0)
    away = threading.Event()

    def ask() -> None:
        if away.is_set():
            raise StoreError

    async def look() -> list[bool]:
        one = Pulse(ask)
        found = [await one.beats()]
        for change in (away.set, away.clear):
            change()
            found.append(await one.beats())
        return found

    assert asyncio.run(look()) == [True, False, True]


def test_one_that_hangs_is_no_sign_and_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SOON_S", 0.05)
    monkeypatch.setattr(pulse, "FRESH_S", 0.0)
    answers, asked = threading.Event(), list[int]()

    def ask() -> None:
        asked.append(1)
        assert answers.wait(30)

    async def look() -> list[bool]:
        one = Pulse(ask)
        found = await asyncio.gather(*(one.beats() for _ in range(9)))
        answers.set()
        monkeypatch.setattr(pulse, "SOON_S", 30.0)
        return [*found, await one.beats()]

    assert asyncio.run(look()) == [False] * 9 + [True] and len(asked) == 1
