"""Who may open what, over HTTP: the gate before the whole application."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import served, signed_in

from assistant.pipeline import Assistant

ROLES = ("asker", "drafter", "evaluator", "administrator")
NEEDS = {
    "/": {"", *ROLES}, "/config": {"", *ROLES}, "/api/docs": {"", *ROLES}, "/v1/models": {"", *ROLES},
    "/reply": {"drafter", "administrator"}, "/api/drafts": {"drafter", "administrator"},
    "/evaluate/": {"evaluator", "administrator"}, "/evaluate/config": {"evaluator", "administrator"},
    "/evaluate/gradio_api/queue/data": {"evaluator", "administrator"}, "/admin": {"administrator"}, "/account": set(ROLES),
}  # fmt: skip


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("access")


@pytest.fixture(scope="module")
def address(small: Assistant, workspace: Path) -> Iterator[str]:
    with served(small, workspace) as running:
        yield running


@pytest.mark.parametrize("role", ["", *ROLES])
def test_a_path_opens_to_whom_the_table_names(address: str, workspace: Path, role: str) -> None:
    cookie = signed_in(address, workspace, role) if role else None
    cookies = {cookie["name"]: cookie["value"]} if cookie else {}
    for path, may in NEEDS.items():
        status = httpx.get(address + path, cookies=cookies).status_code
        assert (status in (303, 401, 403)) == (role not in may), (path, role, status)


@pytest.mark.parametrize("path", ["//evaluate/", "/EVALUATE", "/gradio_api/upload", "/monitoring", "/login/", "/evaluate/gradio_api/info", "/x/../evaluate/", "/nowhere"])  # fmt: skip
def test_what_is_not_in_the_table_is_shut(address: str, path: str) -> None:
    assert httpx.get(address + path).status_code in (303, 404)


def test_a_revoked_key_is_refused_and_another_bearer_is_nobody(address: str) -> None:
    assert httpx.get(f"{address}/v1/models", headers={"authorization": "Bearer jd_gone"}).status_code == 401
    assert httpx.get(f"{address}/v1/models", headers={"authorization": "Bearer none"}).status_code == 200
