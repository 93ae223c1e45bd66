"""Fetch the web addresses that an officer listed, from the hosts that an administrator allowed, into the corpus folder.

An address is reached only as it was checked: its host is resolved once, every address of it must be public, and the
connection goes to that very address; each redirect is checked alike.
"""

import ipaddress
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from assistant.errors import CorpusError
from assistant.formats import read_table

MAX_BYTES, SECONDS, HOPS = 20_000_000, 60, 5
TYPES = {  # what may be fetched, and the file it becomes
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/csv": ".csv",
    "application/pdf": ".pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one address: the file it is kept in and whether that is new, changed or as it was, or why not."""

    url: str
    file: str = ""
    state: str = ""
    fault: str = ""


def read_addresses(file: Path) -> list[tuple[str, str]]:
    """Return (address, file name without its ending, "" if not given) of a table with the columns url and file."""
    return [(url, "".join(names[:1])) for url, names in read_table(file, "url", "file")]


def fetch(addresses: Sequence[tuple[str, str]], folder: Path, hosts: Sequence[str]) -> list[Fetched]:
    """Fetch each address into `folder`; one that fails leaves the file it had. A file is written whole or not at all."""
    found = []
    for url, name in addresses:
        try:
            found.append(_keep(url, name, folder, hosts))
        except CorpusError as error:
            found.append(Fetched(url, fault=str(error)))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            found.append(Fetched(url, fault=f"取不到（{type(error).__name__}），请核对地址和网络"))
    return found


def _keep(url: str, name: str, folder: Path, hosts: Sequence[str]) -> Fetched:
    data, suffix = download(url, hosts)
    parts = urlsplit(url)
    stem = re.sub(r"[^\w-]+", "-", name or f"{parts.hostname}{parts.path}?{parts.query}").strip("-_")[:120]
    if suffix == ".html":  # as browsers note it, so that the source is known wherever the file goes
        data = b"<!-- saved from url=(%04d)%s -->\n" % (len(url), url.encode()) + data
    file = folder / f"{stem}{suffix}"
    state = "new" if not file.is_file() else "same" if file.read_bytes() == data else "changed"
    if state != "same":
        beside = file.with_name(f".{file.name}.part")
        beside.write_bytes(data)
        beside.replace(file)
    return Fetched(url, file.name, state)


def download(url: str, hosts: Sequence[str]) -> tuple[bytes, str]:
    """Return an address's content and the file ending of its type. Raises CorpusError where a rule forbids it."""
    deadline = time.monotonic() + SECONDS
    with httpx.Client(trust_env=False, timeout=SECONDS / 4, headers={"User-Agent": "jiading-assistant"}) as client:
        for _ in range(HOPS + 1):
            parts = urlsplit(url)
            address = _allowed(parts, hosts)
            request = client.build_request(
                "GET", _pinned(parts, address), headers={"Host": parts.netloc}, extensions={"sni_hostname": parts.hostname}
            )  # fmt: skip
            response = client.send(request, stream=True)
            try:
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    continue
                if response.status_code != 200:
                    raise CorpusError(f"网站回应 {response.status_code}，请核对地址")
                suffix = TYPES.get(response.headers.get("content-type", "").partition(";")[0].strip().lower())
                if not suffix:
                    raise CorpusError("不是网页、文本、PDF、Word 或 Excel 文件")
                return _read(response, deadline), suffix
            finally:
                response.close()
    raise CorpusError(f"转跳超过 {HOPS} 次")


def _read(response: httpx.Response, deadline: float) -> bytes:
    data = bytearray()
    for chunk in response.iter_bytes(65536):
        data += chunk
        if len(data) > MAX_BYTES:
            raise CorpusError(f"超过 {MAX_BYTES // 1_000_000} MB")
        if time.monotonic() > deadline:
            raise CorpusError(f"超过 {SECONDS} 秒没有取完")
    return bytes(data)


def _allowed(parts: SplitResult, hosts: Sequence[str]) -> str:
    """Return the address to connect to. An address that is not public is reached only where it is itself among the hosts."""
    host = (parts.hostname or "").rstrip(".")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password or port == 0:
        raise CorpusError("只能是 http 或 https 地址，不能带用户名和密码")
    named = f"{host}:{port}" if port else host
    if not any(named == allowed or (allowed.startswith("*.") and named.endswith(allowed[1:])) for allowed in hosts):
        raise CorpusError(f"“{named}”不在允许的网站之内，请管理员加入 JIADING_WEB_HOSTS")
    found = {info[4][0] for info in socket.getaddrinfo(host, port or parts.scheme, type=socket.SOCK_STREAM)}
    for address in found:
        ip = ipaddress.ip_address(str(address).partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        if (not mapped.is_global or mapped.is_multicast) and str(ip) != host:
            raise CorpusError(f"“{host}”指向内部地址 {ip}，不能取")
    return str(min(found, key=lambda address: (":" in str(address), address)))


def _pinned(parts: SplitResult, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return parts._replace(netloc=host + (f":{parts.port}" if parts.port else ""), fragment="").geturl()
