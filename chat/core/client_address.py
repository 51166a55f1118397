"""Client address and ``Origin`` check of a request, behind a number of trusted proxies.

Each trusted proxy appends the address of its peer to ``X-Forwarded-For``. With n trusted proxies
only the last n entries are reliable; entries left of them were written by the client.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

#: Key of an ASGI scope: the server had the head of this request judged before it read the body.
ADMITTED = "chat.admitted"

_DEFAULT_PORTS = {"http": 80, "https": 443}
#: Scheme and host only: no path, no user name, no character that a host cannot contain. The length
#: is bounded because IDNA takes 50 ms for 15,000 characters; a host name has 253 at most.
_ORIGIN = re.compile(r"https?://[^\s/?#@\\,;%<>\"'*|^`{}]{1,300}", re.IGNORECASE)
_HTTP_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Origin(NamedTuple):
    """Parsed origin, e.g. ``("https", "www.example.fr", 443)``: host lower-case ASCII, port set."""

    scheme: str
    host: str
    port: int


def scope_address(scope: Mapping[str, Any]) -> str:
    """Return the client address of an ASGI connection, "" when it has none."""
    return client_address(
        scope_headers(scope), (scope.get("client") or ("",))[0], settings.ENV.trusted_proxies
    )


def request_address(request: HttpRequest) -> str:
    """Return the client address of a Django request, "" when it has none."""
    peer = request.META.get("REMOTE_ADDR") or ""
    return client_address(request.headers, peer, settings.ENV.trusted_proxies)


def websocket_origin_allowed(scope: Mapping[str, Any]) -> bool:
    """Return whether the ``Origin`` of a socket is ours or in ``CSRF_TRUSTED_ORIGINS``."""
    headers = scope_headers(scope)
    own = request_origin(headers, scope.get("scheme", "ws"), settings.ENV.trusted_proxies)
    return origin_allowed(headers.get("origin"), own, settings.CSRF_TRUSTED_ORIGINS)


def scope_headers(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by lower-case name; repeated headers are joined by a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers


def client_address(headers: Mapping[str, str], peer: str, trusted_proxies: int) -> str:
    """Return the client's address as the outermost trusted proxy saw it.

    ``headers``: by lower-case name, or ``request.headers``. ``peer``: address of the TCP peer,
    returned when the header has fewer entries than ``trusted_proxies`` or holds no valid address.
    """
    hops = headers.get("x-forwarded-for", "").split(",")
    if not 0 < trusted_proxies <= len(hops):
        return _normalised(peer) or peer
    return _normalised(hops[-trusted_proxies]) or _normalised(peer) or peer


def network_prefix(address: str) -> str:
    """Return the network that rate limits count as one client: an IPv4 address, or an IPv6 /64.

    ``"2001:db8::1"`` becomes ``"2001:db8::/64"``: an IPv6 line usually owns a whole /64.
    """
    if ":" not in address:
        return address
    try:
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    except ValueError:
        return address


def request_origin(headers: Mapping[str, str], scheme: str, trusted_proxies: int) -> Origin | None:
    """Return the origin under which the client reached us, None when the host is invalid.

    ``scheme``: of the connection to this process, "ws" and "wss" included. Behind a trusted proxy
    ``X-Forwarded-Proto`` and ``X-Forwarded-Host`` take precedence; of a list the last value
    counts, which the nearest proxy wrote.
    """
    host = headers.get("host", "")
    if trusted_proxies > 0:
        scheme = _last(headers, "x-forwarded-proto").lower() or scheme
        host = _last(headers, "x-forwarded-host") or host
    http_scheme = _HTTP_SCHEMES.get(scheme)
    return parse_origin(f"{http_scheme}://{host}") if http_scheme else None


def origin_allowed(header: str | None, own: Origin | None, trusted_origins: Iterable[str]) -> bool:
    """Return whether scheme, host and port of an ``Origin`` header are our own or trusted.

    A missing header (None) passes: no browser omits it, and other programs could forge it.
    ``trusted_origins``: as Django's ``CSRF_TRUSTED_ORIGINS``; ``https://*.example.fr`` matches
    example.fr and all its subdomains.
    """
    if header is None:
        return True
    origin = parse_origin(header)
    if origin is None:
        return False
    return origin == own or any(_matches(origin, trusted) for trusted in trusted_origins)


def parse_origin(text: str) -> Origin | None:
    """Parse ``scheme://host[:port]``; None for anything else, such as "null" or a full URL."""
    if not _ORIGIN.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        scheme, port = parts.scheme.lower(), parts.port
        host = _ascii(parts.hostname or "")
    except ValueError:  # includes UnicodeError: a label that IDNA cannot encode
        return None
    port = _DEFAULT_PORTS[scheme] if port is None else port
    return Origin(scheme, host, port) if host else None


def _matches(origin: Origin, trusted: str) -> bool:
    scheme, separator, rest = trusted.partition("://*.")
    if not separator:
        return origin == parse_origin(trusted)
    base = parse_origin(f"{scheme}://{rest}")
    if base is None or (origin.scheme, origin.port) != (base.scheme, base.port):
        return False
    return origin.host == base.host or origin.host.endswith(f".{base.host}")


def _ascii(host: str) -> str:
    """Encode a host name: ``"Vélo.example."`` becomes ``"xn--vlo-bma.example"``."""
    if ":" in host:  # an IPv6 address, whose brackets urlsplit has removed
        return _normalised(host)
    return host.lower().removesuffix(".").encode("idna").decode("ascii")


def _last(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").rpartition(",")[2].strip()


def _normalised(text: str) -> str:
    """Normalise an address, "" if invalid: ``"[::FFFF:192.0.2.1]:4711"`` is ``"192.0.2.1"``."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # IPv4 with a port
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    return str(getattr(address, "ipv4_mapped", None) or address)
