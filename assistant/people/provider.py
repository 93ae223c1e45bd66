"""The identity provider, by OpenID Connect: where to send who wants to sign in, and whom it then vouches for."""

import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from assistant.config import Settings
from assistant.errors import AccountError, ProviderError, SettingsError
from assistant.people.access import Role
from assistant.people.accounts import NAME, plain

ALGORITHMS = [
    f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512)
]  # of signatures by a public key
LEEWAY_S = 60  # by which the provider's clock may differ
TIMEOUT_S = 10.0
KNOWN_S = 600  # for which the provider's addresses are held
LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
NAMED_BY = ("preferred_username", "email", "sub")  # the first that can be an account's name
UNPROVEN = "统一身份认证给出的身份没有通过核对，请重新登录；一直这样，请联系管理员。"
AWAY = "统一身份认证暂时不能使用，请稍后再试，或用本机账号登录。"


def _secret() -> str:
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Journey:
    """A sign-in under way: what the provider must give back, and the path to go on to."""

    next: str
    redirect: str  # where the provider sends the browser back to
    state: str = field(default_factory=_secret)
    nonce: str = field(default_factory=_secret)
    verifier: str = field(default_factory=_secret)  # RFC 7636


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider vouches for; without a role where it is not the provider that gives roles."""

    subject: str
    name: str
    role: Role | None


class Provider:
    """The provider that the settings name. Raises SettingsError for settings that cannot be."""

    def __init__(self, settings: Settings) -> None:
        self._issuer, self._client, self._secret = settings.oidc_issuer, settings.oidc_client_id, settings.oidc_client_secret  # fmt: skip
        _check(settings)
        self._claim, self._roles = settings.oidc_role_claim, mapping(settings.oidc_roles)
        self._known: tuple[float, dict[str, Any]] = (0.0, {})

    def address(self, journey: Journey) -> str:
        """Return where to send the browser. Raises ProviderError."""
        challenge = urlsafe_b64encode(sha256(journey.verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code", "client_id": self._client, "redirect_uri": journey.redirect, "scope": "openid profile email",
            "state": journey.state, "nonce": journey.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        place = self._place("authorization_endpoint")
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(query)}"

    def vouched(self, code: str, journey: Journey) -> Person:
        """Return who has signed in there. Raises ProviderError, and AccountError for a proof that is none."""
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": journey.redirect,
            "code_verifier": journey.verifier, **({} if self._secret else {"client_id": self._client}),
        }  # fmt: skip
        auth = httpx.BasicAuth(quote(self._client, safe=""), quote(self._secret, safe="")) if self._secret else None
        token = _asked("POST", self._place("token_endpoint"), data=form, auth=auth).get("id_token")
        try:
            keys = KeySet.import_key_set(_asked("GET", self._place("jwks_uri")))  # type: ignore[arg-type]
            claims = jwt.decode(str(token), keys, ALGORITHMS).claims
            self._registry(journey).validate(claims)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise AccountError(UNPROVEN) from error
        return self._person(claims)

    def _registry(self, journey: Journey) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._issuer}, aud={"essential": True, "value": self._client},
            azp={"value": self._client}, nonce={"essential": True, "value": journey.nonce},
            exp={"essential": True}, iat={"essential": True}, sub={"essential": True},
        )  # fmt: skip

    def _person(self, claims: Mapping[str, Any]) -> Person:
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if len(claims["sub"]) > LONGEST_SUBJECT or (several and "azp" not in claims):
            raise AccountError(UNPROVEN)
        told = [claims[one] for one in NAMED_BY if isinstance(claims.get(one), str)]
        names = [plain(name) for name in told if NAME.fullmatch(name)]
        if not names:
            raise AccountError("统一身份认证给出的名称不能作账号名，请联系管理员。")
        return Person(f"{self._issuer} {claims['sub']}", names[0], self._role(claims))

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        if not self._claim:
            return None
        told = claims.get(self._claim)
        values = told if isinstance(told, list) else [told]
        return next((role for value, role in self._roles.items() if value in values), Role.ASKER)

    def _place(self, name: str) -> str:
        """Return one of the provider's addresses."""
        now, (since, known) = time.monotonic(), self._known
        if not known or now - since > KNOWN_S:
            known = _asked("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
            if known.get("issuer") != self._issuer:
                raise ProviderError(AWAY)
            self._known = now, known
        place = str(known.get(name, ""))
        if not _safe(place):
            raise ProviderError(AWAY)
        return place


def mapping(written: str) -> dict[str, Role]:
    """Return which value of the claim is which role, as JIADING_OIDC_ROLES says. Raises SettingsError."""
    pairs = [one.rpartition("=") for one in written.split(",") if one.strip()]
    try:
        found = {value.strip(): Role(role.strip()) for value, _, role in pairs}
    except ValueError:
        found = {"": Role.ASKER}
    if "" in found:
        raise SettingsError(f"JIADING_OIDC_ROLES 应像 staff=drafter,boss=administrator，角色是 {'、'.join(Role)}")
    return found


def _check(settings: Settings) -> None:
    if not settings.oidc_client_id or not settings.oidc_issuer:
        raise SettingsError("JIADING_OIDC_ISSUER 和 JIADING_OIDC_CLIENT_ID 要同时填写，或同时留空")
    if not _safe(settings.oidc_issuer):
        raise SettingsError("JIADING_OIDC_ISSUER 要以 https:// 开头；只有本机的可以用 http://")
    if bool(settings.oidc_role_claim) != bool(settings.oidc_roles):
        raise SettingsError("JIADING_OIDC_ROLE_CLAIM 和 JIADING_OIDC_ROLES 要同时填写，或同时留空")


def _safe(address: str) -> bool:
    """Return whether what is sent to an address is hidden from the network."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return (parts.scheme == "https" and bool(host)) or (parts.scheme == "http" and _is_here(host))
    except ValueError:
        return False


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _asked(method: str, address: str, **sent: Any) -> dict[str, Any]:
    """Return the JSON object that the provider answers with. Raises ProviderError, and AccountError for a request it refuses."""
    try:
        response = httpx.request(method, address, headers={"accept": "application/json"}, timeout=TIMEOUT_S, **sent)
        if method == "POST" and response.status_code in (400, 401, 403):
            raise AccountError(UNPROVEN)
        found = response.raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ProviderError(AWAY) from error
    if not isinstance(found, dict):
        raise ProviderError(AWAY)
    return found
