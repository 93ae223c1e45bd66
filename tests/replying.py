"""A stand-in for the gate: the cookie `who` says who asks and in which role, and what was recorded is kept."""

from http.cookies import SimpleCookie
from typing import Any

from assistant.people.access import IDENTITY, RECORD, Identity, Role

LETTER = (
    "尊敬的区经委：\n我公司注册在安亭。请问技术改造最高支持多少万元？氢能港规划面积多大？能不能安排宿舍？"
    "\n测试区精工有限公司\n2026年11月10日\n联系人：王工 13800001234"
)


class Gate:
    """Sets the identity that the cookie names."""

    def __init__(self) -> None:
        self.records: list[tuple[str, str, str]] = []

    def before(self, app: Any) -> Any:
        """Return the application with the gate before it."""

        async def gated(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                cookie = SimpleCookie(dict(scope["headers"]).get(b"cookie", b"").decode())
                name, _, role = (cookie["who"].value if "who" in cookie else "").partition(":")
                identity = Identity(name, Role(role)) if name else Identity()
                scope = {**scope, IDENTITY: identity, RECORD: self._recorder(name)}
            await app(scope, receive, send)

        return gated

    def _recorder(self, name: str) -> Any:
        return lambda action, about, generation, detail: self.records.append((name, action, about))
