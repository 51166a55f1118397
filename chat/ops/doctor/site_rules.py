"""What a page and its socket must be like when they come through the proxy. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from chat.ops.doctor.findings import Finding, masked, ok, skipped, warning, wrong

STATE = "session.state"
NO_COOKIE, REFUSED, TOO_MANY = 4401, 4403, 4429
#: Headers that every page has, and what they must contain.
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
}
_KEEP_HEADERS = "reverse_proxy web:8000   # sans « header_down » qui les retire"
_PROXY = "TRUSTED_PROXIES=1   # dans .env, et le proxy pose lui-même X-Forwarded-Proto"
_UPGRADE = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPage:
    """``headers``: by name in lower case. ``cookies``: each ``Set-Cookie`` as it came."""

    status: int
    headers: Mapping[str, str]
    cookies: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """``status``: of the HTTP answer, 0 for none. ``first``: type of the first event, or "".
    ``closed``: the code with which it was closed instead.
    """

    status: int
    first: str = ""
    closed: int = 0


def evaluate_site(url: str, page: FetchedPage, own: Handshake, foreign: Handshake) -> list[Finding]:
    """``own``: with the origin of this address. ``foreign``: with another site's."""
    secure = urlsplit(url).scheme == "https"
    if page.status != 200:
        return [_bad_status(url, page)]
    return [
        ok("Site : page", f"{masked(url)} répond 200"),
        evaluate_headers(page.headers),
        evaluate_csp(page.headers.get("content-security-policy", "")),
        evaluate_forwarded(page.headers, own, secure=secure),
        evaluate_cookies(page.cookies, secure=secure),
        evaluate_own_socket(own),
        evaluate_foreign_socket(foreign),
    ]


def _bad_status(url: str, page: FetchedPage) -> Finding:
    name = "Site : page"
    if page.status in (301, 302, 307, 308):
        target = page.headers.get("location", "")
        if target.rstrip("/") == url.rstrip("/"):
            return wrong(name, "elle renvoie vers elle-même sans fin", _PROXY)
        what = f"HTTP {page.status} vers {masked(target)}"
        return wrong(name, what, f"python manage.py doctor --url {masked(target)}")
    if page.status == 400:
        host = urlsplit(url).hostname or ""
        return wrong(name, "HTTP 400 : nom inconnu", f"ALLOWED_HOSTS=…,{host}   # dans .env")
    if page.status in (502, 503, 504):
        what = f"HTTP {page.status} : aucun serveur derrière le proxy"
        return wrong(name, what, "docker compose ps   # puis docker compose logs web")
    return wrong(name, f"HTTP {page.status}", "docker compose logs --tail 100 web")


def evaluate_headers(headers: Mapping[str, str]) -> Finding:
    name = "Site : en-têtes"
    lost = [
        header
        for header, value in HEADERS.items()
        if value.lower() not in headers.get(header, "").lower()
    ]
    if lost:
        return wrong(name, f"manquent : {', '.join(lost)}", _KEEP_HEADERS)
    return ok(name, "protections présentes")


def evaluate_csp(policy: str) -> Finding:
    name = "Site : CSP"
    fix = "CONTENT_SECURITY_POLICY   # dans meuble_project/settings.py ; rien d'autre ne la pose"
    if not policy:
        return wrong(name, "pas de Content-Security-Policy", fix)
    loose = re.findall(r"'unsafe-(?:inline|eval)'", policy)
    if loose:
        return wrong(name, f"elle permet {', '.join(sorted(set(loose)))}", fix)
    sources = _directives(policy)
    scripts = sources.get("script-src", sources.get("default-src", "*"))
    if {"*", "http:", "https:", "data:"} & set(scripts.split()):
        return wrong(name, "elle laisse venir des scripts d'ailleurs", fix)
    return ok(name, "stricte")


def _directives(policy: str) -> dict[str, str]:
    pairs = (part.strip().partition(" ") for part in policy.split(";"))
    return {name.lower(): sources for name, _, sources in pairs if name}


def evaluate_forwarded(headers: Mapping[str, str], own: Handshake, *, secure: bool) -> Finding:
    """Django speaks of HSTS only when it believes that the request came over HTTPS; our own
    origin is ours only then, too.
    """
    name = "Site : HTTPS"
    if not secure:
        what = "adresse en http:// : à faire sur l'adresse publique"
        return skipped(name, what)
    if "strict-transport-security" not in headers:
        if own.first == STATE:
            return warning(
                name, "reconnu derrière le proxy, mais sans HSTS", "DEBUG=0   # dans .env"
            )
        return wrong(name, "le serveur se croit en HTTP : X-Forwarded-Proto n'est pas cru", _PROXY)
    return ok(name, "reconnu derrière le proxy, HSTS annoncé")


def evaluate_cookies(cookies: tuple[str, ...], *, secure: bool) -> Finding:
    name = "Site : cookies"
    if not cookies:
        return wrong(name, "la page n'en donne aucun", "docker compose logs --tail 100 web")
    faults = list(_faults(cookies, secure=secure))
    if not faults:
        return ok(name, "HttpOnly, SameSite" + (", Secure" if secure else ""))
    return wrong(name, " ; ".join(faults), "COOKIE_SECURE=1   # dans .env")


def _faults(cookies: tuple[str, ...], *, secure: bool) -> Iterator[str]:
    for cookie in cookies:
        name = cookie.partition("=")[0]
        flags = {part.strip().partition("=")[0].lower() for part in cookie.split(";")[1:]}
        wanted = {"samesite"} | ({"secure"} if secure else set())
        if "csrf" not in name.lower():
            wanted.add("httponly")
        if lost := sorted(wanted - flags):
            yield f"{name} sans {', '.join(lost)}"


def evaluate_own_socket(own: Handshake) -> Finding:
    name = "Site : WebSocket"
    if own.first == STATE:
        return ok(name, "101, la conversation arrive")
    if own.status == 0:
        return wrong(name, "pas de réponse à temps", _UPGRADE)
    if own.status != 101:
        return wrong(name, f"HTTP {own.status} au lieu de 101", _UPGRADE)
    if own.closed == REFUSED:
        what = "notre propre origine est refusée (4403)"
        return wrong(name, what, f"{_PROXY} ; et « Host » gardé tel quel")
    if own.closed == NO_COOKIE:
        return wrong(name, "le cookie n'arrive pas (4401)", _PROXY)
    if own.closed == TOO_MANY:
        return warning(name, "trop de connexions de cette adresse (4429)", _PROXY)
    what = f"fermé avec le code {own.closed}" if own.closed else f"premier mot : {own.first!r}"
    return wrong(name, what, "docker compose logs --tail 100 web")


def evaluate_foreign_socket(foreign: Handshake) -> Finding:
    name = "Site : autre origine"
    if foreign.first:
        what = "un autre site peut ouvrir la conversation"
        return wrong(name, what, "CSRF_TRUSTED_ORIGINS=   # dans .env : nos seules adresses")
    if foreign.closed == REFUSED or foreign.status in (400, 401, 403):
        return ok(name, "refusée")
    what = f"réponse inattendue (HTTP {foreign.status}, code {foreign.closed})"
    return warning(name, what, "docker compose logs --tail 100 web")
