"""Who may ask, and what may be opened: tried on every route that the running server has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lineage_explorer.server.answers import QUESTIONS
from lineage_explorer.server.handlers import PREFIX, ROUTES

from .conftest import BASE, TOKEN, Response, Server, idle

STORE = "estate/lineage.db"
#: How each question is asked so that it would be answered. A new route has to be added here, or nothing is proved of it.
ASKED: dict[str, dict[str, Any]] = {
    "stores": {},
    "kinds": {"store": STORE},
    "things": {"store": STORE, "kind": "model"},
    "versions": {"store": STORE, "kind": "model", "name": "churn"},
    "search": {"store": STORE, "query": "churn"},
    "audit": {"store": STORE, "endpoint": "churn-prod"},
    "verdicts": {"store": STORE, "endpoint": ["churn-prod"]},
    "releases": {"store": STORE, "endpoint": "churn-prod"},
    "explore": {"store": STORE, "ref": "endpoint:churn-prod"},
    "history": {"store": STORE, "ref": "model:churn"},
    "comparison": {"store": STORE, "a": "churn-prod", "b": "churn-prod@@2026-06-01T00:00:00Z"},
    "impact": {"store": STORE, "ref": "dataset:raw@1"},
    "rollback": {"store": STORE, "endpoint": "churn-prod"},
    "serving": {"store": STORE, "endpoint": "churn-prod"},
    "policies": {},
    "ingests": {},
    "ingests/([^/]+)": {},
    r"openapi\.json": {},
}
ORDER = {"store": STORE, "source": "records.jsonl"}
#: Places that a request must not come to, each in another disguise.
ESCAPES = [
    "../outside/secret.db",
    "../../../../../../../../etc/passwd",
    "estate/../../outside/secret.db",
    "estate/../estate/lineage.db",
    "..%2foutside%2fsecret.db",
    "%2e%2e/outside/secret.db",
    "..\\outside\\secret.db",
    "{outside}/secret.db",
    "/etc/passwd",
    "file:{outside}/secret.db",
    "file://{outside}/secret.db",
    "sqlite:///{outside}/secret.db",
    "sqlite:///estate/lineage.db",
    "postgresql://ada@127.0.0.1/lineage",
    "out.db",
    "away/secret.db",
    "circle.db",
    ".hidden/lineage.db",
    "~/secret.db",
    "$LINEAGE_TEST_STORE",
    "estate/lineage.db\0.txt",
    ".",
    "pipe.db",
    "foreign.db",
    "records.jsonl",
]


@pytest.fixture(scope="module")
def ingest(server: Server) -> str:
    """The id of an ingest."""
    said = server.request("ingests", "POST", body=ORDER)
    assert said.status == 202, said.body
    return str(said.json["id"])


@pytest.fixture(scope="module")
def cookies(server: Server) -> SimpleCookie:
    """What a browser holds after its user has logged in."""
    jar = SimpleCookie()
    for path in ("/somebody/login", f"/somebody/api/status?token={TOKEN}"):
        with_cookies = {"Cookie": "; ".join(f"{key}={item.value}" for key, item in jar.items())} if jar else {}
        connection = server.connect()
        connection.request("GET", path, headers=with_cookies)
        reply = connection.getresponse()
        reply.read()
        for name, value in reply.getheaders():
            if name.lower() == "set-cookie":
                jar.load(value)
        connection.close()
    assert "_xsrf" in jar
    assert any(name.startswith("username-") for name in jar)
    return jar


def logged_in(cookies: SimpleCookie) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{key}={item.value}" for key, item in cookies.items())}


class Route:
    """A route and method of the running server, and how to ask it."""

    def __init__(self, pattern: str, method: str) -> None:
        self.pattern, self.method = pattern, method

    def ask(self, server: Server, ingest: str, **more: Any) -> Response:
        path = self.pattern.replace("([^/]+)", ingest).replace("\\", "")
        query = ASKED[self.pattern] if self.method == "GET" else {}
        body = ORDER if self.method == "POST" else None
        return server.request(path, self.method, body=body, **query, **more)


@pytest.fixture(scope="module")
def routes(server: Server) -> list[Route]:
    """All that the server itself says it has."""
    found = [
        Route(pattern.removeprefix(BASE.removeprefix("/")), method)
        for pattern, methods in server.seen("routes")
        for method in methods
    ]
    assert len(found) >= len(ROUTES)
    return found


@pytest.fixture(autouse=True)
def at_rest(server: Server) -> None:
    """No ingest of another test runs any more."""
    idle(server)


def refused(reply: Response) -> None:
    """The refusal is one: its status says so, and nothing else is told."""
    assert reply.status in (400, 403, 404, 422), (reply.status, reply.body[:300])
    assert reply.headers["Content-Type"].startswith("application/json")
    assert set(reply.json) <= {"error", "message", "near"}
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "Etag" not in reply.headers


def test_the_server_has_our_routes_and_no_others(server: Server, routes: list[Route]) -> None:
    patterns = {pattern for pattern, _ in server.seen("routes")}
    assert patterns == {f"{BASE.removeprefix('/')}{pattern}" for pattern, _, _ in ROUTES}
    assert BASE.endswith(f"/{PREFIX}/")
    assert {route.pattern for route in routes} == set(ASKED)


def test_each_route_answers_who_has_the_token(server: Server, routes: list[Route], ingest: str) -> None:
    """Or the refusals below would prove nothing."""
    for route in routes:
        reply = route.ask(server, ingest)
        assert reply.status in (200, 202, 409), (route.pattern, route.method, reply.body[:300])
        assert reply.headers["Cache-Control"] == "private, no-cache"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"


def strangers(server: Server, cookies: SimpleCookie) -> Iterator[tuple[str, dict[str, Any]]]:
    cookie, own = logged_in(cookies), f"http://127.0.0.1:{server.port}"
    token = cookies["_xsrf"].value
    yield "anonymous", {"token": False}
    yield "a wrong token", {"token": False, "headers": {"Authorization": "token wrong"}}
    yield "a cookie and no XSRF token", {"token": False, "headers": cookie}
    yield "a cookie and our own page as referrer", {"token": False, "headers": {**cookie, "Referer": f"{own}/lab"}}
    yield "a cookie and a wrong XSRF token", {"token": False, "headers": {**cookie, "X-XSRFToken": token[:-1] + "x"}}
    yield (
        "a cookie, and a page of somebody else",
        {"token": False, "headers": {**cookie, "X-XSRFToken": token, "Origin": "https://evil.example"}},
    )
    yield "a strange host", {"headers": {"Host": "evil.example"}}
    yield "a strange host with our port", {"headers": {"Host": f"evil.example:{server.port}"}}
    yield "not authorized", {"headers": {"X-Refuse": "yes"}}


def test_no_route_answers_strangers(server: Server, routes: list[Route], cookies: SimpleCookie, ingest: str) -> None:
    before = server.request("ingests").json
    for route in routes:
        for who, request in strangers(server, cookies):
            reply = route.ask(server, ingest, **request)
            try:
                refused(reply)
                assert reply.status in (403, 404)
            except AssertionError as error:
                raise AssertionError(f"{route.method} {route.pattern} answers {who}: {error}") from error
    assert server.request("ingests").json == before


def test_this_test_sees_a_route_without_protection(server: Server, cookies: SimpleCookie) -> None:
    for who, request in strangers(server, cookies):
        reply = server.request("/somebody/witness/unprotected", **request)
        with pytest.raises(AssertionError):
            refused(reply)
        assert reply.status == 200, who


def test_a_browser_that_shows_the_token_is_answered(
    server: Server, routes: list[Route], cookies: SimpleCookie, ingest: str
) -> None:
    headers = {**logged_in(cookies), "X-XSRFToken": cookies["_xsrf"].value}
    for route in routes:
        assert route.ask(server, ingest, token=False, headers=headers).status in (200, 202, 409), route.pattern


def test_reading_and_executing_are_authorized_apart(server: Server, routes: list[Route], ingest: str) -> None:
    for route in routes:
        route.ask(server, ingest)
    wanted = {tuple(item) for item in server.seen("wanted") if item[2] == "lineage_explorer"}
    assert wanted == {
        ("GET", "read", "lineage_explorer"),
        ("POST", "execute", "lineage_explorer"),
        ("DELETE", "execute", "lineage_explorer"),
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    assert server.request("kinds", method, store=STORE).status == 405


@pytest.mark.parametrize("disguise", ESCAPES)
def test_no_route_opens_what_is_outside_the_roots(server: Server, routes: list[Route], disguise: str) -> None:
    name = disguise.format(outside=server.outside)
    for route in routes:
        if route.pattern in QUESTIONS:
            refused(server.request(route.pattern, **{**ASKED[route.pattern], "store": name}))
            once = quote(name, safe="")
            rest = "".join(
                f"&{key}={quote(str(value))}" for key, value in ASKED[route.pattern].items() if key != "store"
            )
            refused(server.request(f"{route.pattern}?store={once}{rest}"))
    for create in (False, True):
        refused(server.request("ingests", "POST", body={**ORDER, "store": name, "create": create}))


@pytest.mark.parametrize(
    "disguise",
    [
        *("../outside/records.jsonl", "{outside}/records.jsonl", "/etc/passwd", "away/records.jsonl", "leaky"),
        *("records:{outside}/records.jsonl", "records:../outside/records.jsonl", "records:leaky", "mlflow:/etc"),
        *("sqlite:///{outside}/secret.db", "mlflow:sqlite:///{outside}/secret.db", "file://{outside}/records.jsonl"),
        *("ftp://127.0.0.1/records.jsonl", "mlflow:ftp://127.0.0.1/", ".hidden/lineage.db", "records.jsonl\0"),
        *("out.db", "circle.db", "postgresql://127.0.0.1/mlflow", "records:http:/../../outside/records.jsonl"),
    ],
)
def test_no_source_outside_the_roots_is_read(server: Server, disguise: str) -> None:
    before = server.request("ingests").json
    refused(server.request("ingests", "POST", body={**ORDER, "source": disguise.format(outside=server.outside)}))
    assert server.request("ingests").json == before


def test_a_path_in_the_address_leads_nowhere_else(server: Server) -> None:
    for path in ("ingests/..%2f..%2fstores", "ingests/../../../etc/passwd", "ingests/%2e%2e/stores", "ingests/x%00y"):
        reply = server.request(path)
        assert reply.status in (400, 404)
        assert b"root:" not in reply.body


def test_what_is_refused_is_not_touched(server: Server) -> None:
    """A foreign database in WAL mode would have gained files beside it, had SQLite opened it."""
    refused(server.request("kinds", store="foreign.db"))
    server.request("stores")
    assert not list(server.home.glob("foreign.db-*"))


def test_a_policy_is_a_name_and_never_a_file(server: Server) -> None:
    (server.home / "mine.toml").write_text('name = "mine"\nversion = "1"\n')
    for name in ("mine.toml", str(server.home / "mine.toml"), "/etc/passwd", "../policies/default", "default.toml"):
        for route in ("audit", "verdicts"):
            reply = server.request(route, **ASKED[route], policy=name)
            assert reply.status == 400, name
            assert "default" in reply.json["message"]


def test_the_configuration_that_enables_it_is_the_packages_own() -> None:
    text = (Path(__file__).parents[2] / "jupyter-config" / "server-config" / "lineage_explorer.json").read_text()
    assert re.search(r'"lineage_explorer\.server": true', text)
