"""Where a request comes from, as far as that may be known and kept."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from assistant.errors import SettingsError

FORWARDED = (b"x-forwarded-for", b"forwarded", b"x-real-ip")
UNKNOWN = ""
Proxies = tuple[IPv4Network | IPv6Network, ...]


def networks(written: str) -> Proxies:
    """Return the addresses and networks that a setting lists. Raises SettingsError."""
    try:
        return tuple(ip_network(one.strip(), strict=False) for one in written.split(",") if one.strip())
    except ValueError as error:
        raise SettingsError("JIADING_PROXIES 应是地址或网段，逗号分隔，例如 10.0.0.5,10.1.0.0/16") from error


def client(scope: Mapping[str, Any], proxies: Proxies) -> str:
    """Return the address of who sends a request; X-Forwarded-For counts as far as trusted proxies wrote it."""
    address = plain((scope.get("client") or ("",))[0])
    told = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    before = [plain(one.strip()) for one in b",".join(told).decode("latin-1").split(",")] if told else []
    while _trusted(address, proxies) and before:
        address = before.pop()
    return address


def origin(scope: Mapping[str, Any], proxies: Proxies, secure: bool) -> str:
    """Return the scheme and host by which the browser reaches this place; a trusted proxy's word counts, `secure` is HTTPS."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    told = headers if _trusted((scope.get("client") or ("",))[0], proxies) else {}
    scheme = "https" if secure else told.get(b"x-forwarded-proto", scope["scheme"])
    return f"{scheme}://{told.get(b'x-forwarded-host', headers.get(b'host', ''))}"


def plain(address: str) -> str:
    """Return an address in its one form, an IPv4 one within IPv6 as IPv4; "" for what is none."""
    found = _parsed(address)
    return str(found) if found else UNKNOWN


def network(address: str, four: int = 24, six: int = 48) -> str:
    """Return the network of an address, so many bits long; it names no single machine."""
    found = _parsed(address)
    if not found:
        return UNKNOWN
    return str(ip_network((found, four if found.version == 4 else six), strict=False))


def is_local(scope: Mapping[str, Any]) -> bool:
    """Return whether this machine itself sends a request, and does not hand on another's."""
    found = _parsed((scope.get("client") or ("",))[0])
    return bool(found and found.is_loopback) and not any(name in FORWARDED for name, _ in scope["headers"])


def _trusted(address: str, proxies: Proxies) -> bool:
    found = _parsed(address)
    return found is not None and any(found in network for network in proxies)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
