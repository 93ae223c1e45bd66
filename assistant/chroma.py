"""Chroma's own HTTP client, with a limit to how long it waits for the server; by itself it would wait without end."""

from chromadb.api.client import Client
from chromadb.auth import UserIdentity
from chromadb.config import Settings


class TimedClient(Client):
    """A client that gives up after so many seconds; also while it is being made, when it already asks."""

    def __init__(self, settings: Settings, wait_s: float) -> None:
        self._wait_s = wait_s
        super().__init__(settings=settings)

    def get_user_identity(self) -> UserIdentity:
        """Ask who we are: the first that is asked of the server."""
        self._limit(self)
        return super().get_user_identity()

    def _validate_tenant_database(self, tenant: str, database: str) -> None:
        self._limit(self._admin_client)  # it has a connection of its own
        super()._validate_tenant_database(tenant, database)

    def _limit(self, part: object) -> None:
        part._server._session.timeout = self._wait_s  # type: ignore[attr-defined]  # no setting does it
