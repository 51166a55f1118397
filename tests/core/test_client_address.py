from __future__ import annotations

import pytest

from chat.core.client_address import (
    Origin,
    client_address,
    network_prefix,
    origin_allowed,
    parse_origin,
    request_origin,
    scope_address,
    scope_headers,
    websocket_origin_allowed,
)

PROXY = "10.0.0.1"
SHOP = Origin("https", "www.example.fr", 443)


@pytest.mark.parametrize(
    "forwarded, trusted_proxies, expected",
    [
        (None, 0, PROXY),
        ("192.0.2.1", 0, PROXY),
        (None, 1, PROXY),
        ("", 1, PROXY),
        ("192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.9, 192.0.2.1", 1, "192.0.2.1"),
        ("203.0.113.9,192.0.2.1,10.0.0.2", 2, "192.0.2.1"),
        ("192.0.2.1", 2, PROXY),
        ("192.0.2.1, rubbish", 1, PROXY),
        ("192.0.2.1, ", 1, PROXY),
        ("rubbish, 192.0.2.1", 1, "192.0.2.1"),
        (" 192.0.2.1:4711 ", 1, "192.0.2.1"),
        ("2001:DB8:0::1", 1, "2001:db8::1"),
        ("[2001:db8::1]:443", 1, "2001:db8::1"),
        ("::ffff:192.0.2.1", 1, "192.0.2.1"),
    ],
)
def test_client_address_counts_from_the_right(forwarded, trusted_proxies, expected):
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert client_address(headers, PROXY, trusted_proxies) == expected


@pytest.mark.parametrize(
    "peer, expected",
    [("::ffff:127.0.0.1", "127.0.0.1"), ("", ""), ("/run/web.sock", "/run/web.sock")],
)
def test_client_address_of_a_direct_client(peer, expected):
    assert client_address({}, peer, 0) == expected


@pytest.mark.parametrize(
    "address, expected",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("/run/web.sock", "/run/web.sock"),
        ("", ""),
    ],
)
def test_neighbourhood_of_ipv6_is_what_a_line_has(address, expected):
    assert network_prefix(address) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("https://www.example.fr", SHOP),
        ("HTTPS://WWW.Example.FR:443", SHOP),
        ("https://www.example.fr.", SHOP),
        ("http://www.example.fr", Origin("http", "www.example.fr", 80)),
        ("http://localhost:8000", Origin("http", "localhost", 8000)),
        ("https://[::1]:8443", Origin("https", "::1", 8443)),
        ("https://vélo.example", Origin("https", "xn--vlo-bma.example", 443)),
        ("https://VÉLO.example", Origin("https", "xn--vlo-bma.example", 443)),
        ("null", None),
        ("", None),
        ("www.example.fr", None),
        ("ftp://www.example.fr", None),
        ("https://", None),
        ("https://:443", None),
        ("https://www.example.fr/", None),
        ("https://www.example.fr?", None),
        ("https://www.example.fr#", None),
        ("https://claire@www.example.fr", None),
        ("https://www.example.fr:port", None),
        ("https://www.example.fr:70000", None),
        ("https://www.example.fr:443:443", None),
        ("https://www.example.fr https://zoe.example", None),
        ("https://*.example.fr", None),
        ("https://a..fr", None),
        ("https://" + "a" * 64 + ".fr", None),
        ("https://" + "é." * 150 + "f", None),
        ("https://[::1", None),
    ],
)
def test_parse_origin_takes_scheme_host_and_port_only(text, expected):
    assert parse_origin(text) == expected


@pytest.mark.parametrize(
    "headers, scheme, trusted_proxies, expected",
    [
        ({"host": "www.example.fr"}, "https", 0, SHOP),
        ({"host": "www.example.fr"}, "wss", 0, SHOP),
        ({"host": "localhost:8000"}, "ws", 0, Origin("http", "localhost", 8000)),
        (
            {
                "host": "app:8000",
                "x-forwarded-proto": "https",
                "x-forwarded-host": "www.example.fr",
            },
            "http",
            0,
            Origin("http", "app", 8000),
        ),
        (
            {
                "host": "app:8000",
                "x-forwarded-proto": "https",
                "x-forwarded-host": "www.example.fr",
            },
            "http",
            1,
            SHOP,
        ),
        ({"host": "www.example.fr", "x-forwarded-proto": "HTTPS"}, "ws", 1, SHOP),
        ({"host": "www.example.fr", "x-forwarded-proto": "http, https"}, "ws", 1, SHOP),
        (
            {"host": "a", "x-forwarded-proto": "https", "x-forwarded-host": "zoe, www.example.fr"},
            "ws",
            1,
            SHOP,
        ),
        ({}, "http", 0, None),
        ({"host": "www.example.fr/path"}, "http", 0, None),
        ({"host": "www.example.fr", "x-forwarded-proto": "gopher"}, "http", 1, None),
    ],
)
def test_request_origin_is_what_the_nearest_proxy_says(headers, scheme, trusted_proxies, expected):
    assert request_origin(headers, scheme, trusted_proxies) == expected


@pytest.mark.parametrize(
    "header, allowed",
    [
        (None, True),
        ("https://www.example.fr", True),
        ("https://www.example.fr:443", True),
        ("HTTPS://WWW.EXAMPLE.FR", True),
        ("http://www.example.fr", False),
        ("https://www.example.fr:8443", False),
        ("https://example.fr", False),
        ("https://www.example.fr.zoe.example", False),
        ("null", False),
        ("", False),
        ("https://www.example.fr, https://www.example.fr", False),
    ],
)
def test_origin_allowed_compares_scheme_host_and_port(header, allowed):
    assert origin_allowed(header, SHOP, []) is allowed


@pytest.mark.parametrize(
    "header, trusted, allowed",
    [
        ("https://widget.example", "https://widget.example", True),
        ("https://widget.example:8443", "https://widget.example", False),
        ("https://widget.example:8443", "https://widget.example:8443", True),
        ("https://xn--vlo-bma.example", "https://vélo.example", True),
        ("https://a.partner.example", "https://*.partner.example", True),
        ("https://a.b.partner.example", "https://*.partner.example", True),
        ("https://partner.example", "https://*.partner.example", True),
        ("http://a.partner.example", "https://*.partner.example", False),
        ("https://a.partner.example:444", "https://*.partner.example", False),
        ("https://a.partner.example:444", "https://*.partner.example:444", True),
        ("https://zoepartner.example", "https://*.partner.example", False),
        ("https://partner.example.zoe", "https://*.partner.example", False),
        ("https://zoe.example", "https://*.", False),
        ("https://zoe.example", "rubbish", False),
    ],
)
def test_origin_allowed_reads_trusted_origins_as_django_does(header, trusted, allowed):
    assert origin_allowed(header, SHOP, [trusted]) is allowed


def test_origin_allowed_without_an_origin_of_our_own_trusts_nobody_else():
    assert not origin_allowed("https://www.example.fr", None, [])


def test_scope_headers_joins_what_was_sent_twice():
    scope = {"headers": [(b"X-Forwarded-For", b"192.0.2.1"), (b"x-forwarded-for", b"10.0.0.2")]}
    assert scope_headers(scope) == {"x-forwarded-for": "192.0.2.1,10.0.0.2"}


@pytest.mark.parametrize("client, expected", [(["192.0.2.1", 4711], "192.0.2.1"), (None, "")])
def test_scope_address_is_the_peer_without_proxies(client, expected):
    assert scope_address({"headers": [], "client": client}) == expected


@pytest.mark.parametrize(
    "origin, allowed", [(b"http://shop.test:8000", True), (b"http://zoe.test:8000", False)]
)
def test_websocket_origin_allowed_compares_with_the_host_asked(origin, allowed):
    scope = {"headers": [(b"host", b"shop.test:8000"), (b"origin", origin)]}
    assert websocket_origin_allowed(scope) is allowed
