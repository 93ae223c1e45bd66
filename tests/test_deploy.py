"""What starts the program elsewhere: each file as its own tool reads it, and in step with the program and its image."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromadb
import httpx
import pytest
import yaml
from conftest import ROOT, served

from assistant.config import STORE, Settings
from assistant.monitor import router
from assistant.people.addresses import networks
from assistant.pipeline import Assistant

DEPLOY = ROOT / "deploy"
KINDS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
FILES = [DEPLOY / name for name in ("compose.yaml", "Caddyfile", "Containerfile", "jiading-assistant.service")] + KINDS
NAMED = re.compile(r"\bJIADING_([A-Z_]+)")
AREA = "氢能港规划面积多大？"


def compose() -> dict[str, Any]:
    """What the compose file says, its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def manifests() -> list[dict[str, Any]]:
    """What goes to the cluster, as kubectl puts it together."""
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl on this machine")
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes")]
    made = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8").stdout
    return list(yaml.safe_load_all(made))


def pods(manifests: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The pods' specifications by what they run."""
    found = {}
    for one in manifests:
        spec = one.get("spec", {}).get("jobTemplate", one).get("spec", {})
        if "template" in spec:
            found[one["metadata"]["name"]] = spec["template"]["spec"]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_setting_that_is_named_is_one(file: Path) -> None:
    known = {one.name.upper() for one in fields(Settings)} | {"CONFIG"}
    assert set(NAMED.findall(file.read_text(encoding="utf-8"))) <= known


def test_the_compose_file_is_read_by_its_tool() -> None:
    tools = [["docker", "compose"], ["docker-compose"]]
    tool = next((one for one in tools if shutil.which(one[0]) and not _run(*one, "version").returncode), None)
    if not tool:
        pytest.skip("no docker compose on this machine")
    read = _run(*tool, "-f", str(DEPLOY / "compose.yaml"), "config", "-q")
    assert read.returncode == 0, read.stderr


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True)


def test_the_manifests_keep_to_the_schemas_of_kubernetes(manifests: list[dict[str, Any]]) -> None:
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for one in manifests:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
    kinds = {one["kind"] for one in manifests}
    assert kinds >= {"Deployment", "PodDisruptionBudget", "Service", "Ingress", "CronJob", "NetworkPolicy", "ConfigMap"}
    assert "Secret" not in kinds  # it is referred to


def test_what_the_manifests_refer_to_is_there(manifests: list[dict[str, Any]]) -> None:
    names = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    text = json.dumps(manifests)
    for kind, name in (("ConfigMap", r'"configMapRef": {"name": "([^"]+)'), ("PersistentVolumeClaim", r'"claimName": "([^"]+)')):  # fmt: skip
        assert {(kind, found) for found in re.findall(name, text)} <= names and re.search(name, text)
    for one in manifests:
        assert set(re.findall(r'"app": "(\w+)"', json.dumps(one))) <= pods(manifests).keys()


def test_both_ways_run_the_same_programs_with_the_same_settings(manifests: list[dict[str, Any]]) -> None:
    services, running = compose()["services"], pods(manifests)
    for name, there in (("replica-1", "assistant"), ("ingest", "ingest"), ("engine", "engine"), ("database", "database")):  # fmt: skip
        here, container = services[name], running[there]["containers"][0]
        assert here["image"].rpartition("/")[2] == container["image"].rpartition("/")[2]
        if name in ("replica-1", "ingest", "engine"):
            assert [*here.get("entrypoint", []), *here["command"]] == container["command"]
    (settings,) = (one["data"] for one in manifests if one["kind"] == "ConfigMap")
    assert settings.keys() == services["replica-1"]["environment"].keys()
    for chosen in (settings, services["replica-1"]["environment"]):
        assert STORE.fullmatch(chosen["JIADING_STORE"]) and networks(chosen["JIADING_PROXIES"])
        host, port = urlsplit(chosen["JIADING_STORE"].removeprefix("chroma+")).netloc.split(":")
        assert host in services and port in services[host]["command"]


def test_every_container_is_limited_and_changes_only_what_it_must(manifests: list[dict[str, Any]]) -> None:
    for name, one in compose()["services"].items():
        limits = one["deploy"]["resources"]["limits"]
        assert limits["cpus"] and limits["memory"] and one["pids_limit"], name
        assert one["read_only"] and one["cap_drop"] == ["ALL"] and one["healthcheck"], name
        assert re.fullmatch(r"[\w./-]+:\d+\.[\w.-]+", one["image"]), name
    for name, pod in pods(manifests).items():
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"], name
        for one in chain(pod["containers"], pod.get("initContainers", ())):
            assert one["resources"]["limits"].keys() == {"cpu", "memory"}, name
            assert one["securityContext"]["readOnlyRootFilesystem"], name
            assert one["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
            assert re.fullmatch(r"[\w./-]+:\d+\.[\w.-]+", one["image"]), name


def test_ports_and_paths_are_the_images(manifests: list[dict[str, Any]]) -> None:
    image = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
    port, (user,) = int(re.findall(r"^EXPOSE (\d+)$", image, re.MULTILINE)[0]), re.findall(r"--uid (\d+)", image)
    assert port == Settings.port
    places = {route.path for route in router.routes}  # type: ignore[attr-defined]
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    assert f"replica-1:{port} replica-2:{port}" in caddy and set(re.findall(r"health_uri (\S+)", caddy)) <= places
    assert f"127.0.0.1:{port}/readyz" in json.dumps(compose()["services"]["replica-1"])
    pod = pods(manifests)["assistant"]
    (container,) = pod["containers"]
    assert container["ports"][0]["containerPort"] == port and str(pod["securityContext"]["runAsUser"]) == user
    assert {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "liveness", "readiness")} <= places
    for script in ("ingest", "start"):
        assert f"COPY deploy/{script}.sh /usr/local/bin/{script}\n" in image
        subprocess.run(["sh", "-n", str(DEPLOY / f"{script}.sh")], check=True)


def test_the_engine_is_the_release_of_its_client() -> None:
    assert compose()["services"]["engine"]["image"] == f"chromadb/chroma:{chromadb.__version__}"


def test_nothing_secret_is_in_the_files() -> None:
    for file in FILES:
        assert not re.search(r"(?i)(password|token|secret|key): *[\"']?[\w-]{12,}[\"']?$", file.read_text(encoding="utf-8"), re.MULTILINE), file  # fmt: skip
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8")


# The proxy's own file, run as it is before two replicas.


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def proxy(replicas: list[str], folder: Path) -> Iterator[str]:
    """Run Caddy with the file that is deployed, and give its address."""
    if not shutil.which("caddy"):
        pytest.skip("no Caddy on this machine")
    site = f"http://127.0.0.1:{free_port()}"
    environment = {
        "PROXY_SITE": site, "PROXY_REPLICAS": " ".join(urlsplit(one).netloc for one in replicas), "HOME": str(folder), "PATH": "/usr/bin:/bin",
    }  # fmt: skip
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"{site}/healthz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield site
        process.terminate()


@pytest.fixture
def replicas(small: Assistant, tmp_path: Path) -> Iterator[list[tuple[str, ExitStack]]]:
    """Two applications over one workspace: their addresses, and what ends each."""
    with ExitStack() as all_of_them:
        started = []
        for _ in range(2):
            own = all_of_them.enter_context(ExitStack())
            started.append((own.enter_context(served(small, tmp_path, proxies="127.0.0.0/8")), own))
        yield started


def test_a_browser_stays_with_its_replica_and_nothing_is_held_back(
    replicas: list[tuple[str, ExitStack]], tmp_path: Path
) -> None:
    with proxy([address for address, _ in replicas], tmp_path) as site, httpx.Client(base_url=site, timeout=60) as http:
        others = {httpx.get(f"{site}/healthz").cookies["jiading-replica"] for _ in range(20)}
        assert len(others) == 2
        kept = http.get("/healthz").cookies["jiading-replica"]
        fields = http.get("/config").json()["dependencies"]
        ask = next(one["id"] for one in fields if [how for _, how in one["targets"]] == ["submit", "click"])
        for number in range(6):  # each in a session of its own that only one replica knows
            asked = {"fn_index": ask, "data": [AREA, "", [], [], None], "session_hash": f"s{number}", "trigger_id": None}  # fmt: skip
            assert http.post("/gradio_api/queue/join", json=asked).status_code == 200
            told = http.get("/gradio_api/queue/data", params={"session_hash": f"s{number}"}).text
            assert "process_completed" in told and "2.15" in told
        assert http.cookies["jiading-replica"] == kept
        with http.stream("GET", "/gradio_api/heartbeat/s0") as beats:  # it never ends
            assert next(beats.iter_text())
        refused = http.post("/api/ask", json={"question": AREA}, headers={"origin": "https://elsewhere.example"})
        assert refused.status_code == 403
        assert http.post("/api/ask", json={"question": AREA}, headers={"origin": site}).status_code == 200
