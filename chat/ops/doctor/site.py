"""The site as a browser reaches it, through whatever stands in front."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import aiohttp

from chat.ops.doctor.findings import Finding, masked, wrong
from chat.ops.doctor.site_rules import FetchedPage, Handshake, evaluate_site

#: No page of ours: what a foreign site would send.
FOREIGN_ORIGIN = "https://ailleurs.invalid"
NAME = "Site"
#: What was heard counts, whether or not the other side takes leave.
_POLITE = aiohttp.ClientWSTimeout(ws_close=0.5)


def check_site(url: str, timeout_s: float) -> list[Finding]:
    return asyncio.run(_check(url.rstrip("/"), timeout_s))


async def _check(url: str, timeout_s: float) -> list[Finding]:
    deadline = asyncio.get_running_loop().time() + timeout_s
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    # Addresses as hosts keep their cookies too, and signed values go back as they came.
    jar = aiohttp.CookieJar(unsafe=True, quote_cookie=False)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar) as client:
        try:
            page = await _get(client, f"{url}/")
        except aiohttp.ClientConnectorCertificateError:
            what = f"{masked(url)} : le certificat n'est pas reconnu par cette machine"
            return [wrong(NAME, what, "SSL_CERT_FILE=racine.pem python manage.py doctor --url …")]
        except (aiohttp.ClientError, OSError) as error:
            what = f"{masked(url)} ne répond pas ({type(error).__name__})"
            return [wrong(NAME, what, "docker compose up --detach proxy web")]
        parts = urlsplit(url)
        own, foreign = await asyncio.gather(
            _shake(client, url, f"{parts.scheme}://{parts.netloc}", deadline),
            _shake(client, url, FOREIGN_ORIGIN, deadline),
        )
    return evaluate_site(url, page, own, foreign)


async def _get(client: aiohttp.ClientSession, url: str) -> FetchedPage:
    async with client.get(url, allow_redirects=False) as answer:
        return FetchedPage(
            status=answer.status,
            headers={name.lower(): value for name, value in answer.headers.items()},
            cookies=tuple(answer.headers.getall("Set-Cookie", [])),
        )


async def _shake(
    client: aiohttp.ClientSession, url: str, origin: str, deadline: float
) -> Handshake:
    """Open a socket as a page of this origin would, and read its first word."""
    address = f"{url.replace('http', 'ws', 1)}/ws/chat/"
    try:
        async with (
            asyncio.timeout_at(deadline),
            client.ws_connect(address, headers={"Origin": origin}, timeout=_POLITE) as socket,
        ):
            word = await socket.receive()
            if word.type is aiohttp.WSMsgType.TEXT:
                return Handshake(status=101, first=_type_of(word.data))
            return Handshake(status=101, closed=socket.close_code or 0)
    except aiohttp.WSServerHandshakeError as error:
        return Handshake(status=error.status)
    except (aiohttp.ClientError, OSError, TimeoutError):
        return Handshake(status=0)


def _type_of(text: str) -> str:
    try:
        return str(json.loads(text)["type"])
    except (ValueError, KeyError, TypeError):
        return ""
