"""The OpenAPI document and the handlers say the same: routes, methods, parameters, answers and failures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest

from lineage_explorer.server.answers import QUESTIONS
from lineage_explorer.server.handlers import ROUTES
from lineage_explorer.server.openapi import document
from lineage_explorer.server.parameters import Order, from_query, schema_of

from .conftest import BASE, Response, Server, idle
from .test_answers import THEN
from .test_refusals import ASKED, ORDER

DOCUMENT = document()


def path_of(pattern: str) -> str:
    return "/" + pattern.replace("([^/]+)", "{id}").replace("\\", "")


def resolved(item: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in item:
        return item
    found: Any = DOCUMENT
    for part in item["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return resolved(found)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method.upper(), operation


def valid(instance: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(whole, format_checker=checker).validate(instance)


def schema_for(path: str, method: str, status: int) -> dict[str, Any]:
    responses = DOCUMENT["paths"][path][method.lower()]["responses"]
    response = resolved(responses.get(str(status), responses["default"]))
    schema: dict[str, Any] = response["content"]["application/json"]["schema"]
    return schema


def test_every_route_and_method_is_in_the_document_and_the_other_way_round(server: Server) -> None:
    running = {
        (path_of(pattern.removeprefix(BASE.removeprefix("/"))), method)
        for pattern, methods in server.seen("routes")
        for method in methods
    }
    assert {(path, method) for path, method, _ in operations()} == running


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_parameters_in_the_document_are_those_that_are_read(name: str) -> None:
    described = [resolved(item) for item in DOCUMENT["paths"][f"/{name}"]["get"]["parameters"]]
    schema = schema_of(QUESTIONS[name].asked)["$defs"][QUESTIONS[name].asked.__name__]
    assert {item["name"]: item["schema"] for item in described} == {
        # An empty text is how a default that is no value is written.
        key: {word: value for word, value in item.items() if (word, value) != ("default", "")}
        for key, item in schema["properties"].items()
    }
    assert {item["name"] for item in described if item.get("required")} == set(schema["required"])
    assert all(item["in"] == "query" and item["description"] for item in described)


def test_routes_without_a_question_take_no_parameters() -> None:
    for path, method, operation in operations():
        if path.removeprefix("/") not in QUESTIONS:
            assert "parameters" not in operation, (path, method)


def test_the_body_in_the_document_is_the_one_that_is_read() -> None:
    described = DOCUMENT["components"]["schemas"]["Order"]
    schema = schema_of(Order)["$defs"]["Order"]
    assert set(described["required"]) == set(schema["required"])
    assert {
        key: {word: value for word, value in item.items() if word != "description"}
        for key, item in described["properties"].items()
    } == schema["properties"]


def test_each_documented_parameter_is_accepted(server: Server) -> None:
    samples = {
        "text": "churn",
        "offset": 0,
        "limit": 5,
        "namespace": "",
        "kind": "model",
        "as_of": THEN,
        "known_at": THEN,
        "start": THEN,
        "end": THEN,
    }
    samples |= {"policy": "default", "direction": "both", "depth": 2}
    for name in QUESTIONS:
        for item in map(resolved, DOCUMENT["paths"][f"/{name}"]["get"]["parameters"]):
            asked = {**ASKED[name], item["name"]: {**samples, **ASKED[name]}[item["name"]]}
            reply = server.request(name, **asked)
            # Nothing was known by then: the parameter was read all the same.
            assert reply.status == 200 or (item["name"] == "known_at" and reply.status == 404), (name, item, reply.body)


def check(reply: Response, path: str, method: str) -> None:
    valid(reply.json, schema_for(path, method, reply.status))


def test_each_answer_is_as_the_document_says(server: Server) -> None:
    for pattern, *_ in ROUTES:
        if "(" not in pattern:
            reply = server.request(pattern.replace("\\", ""), **ASKED[pattern])
            assert reply.status == 200, reply.body
            check(reply, path_of(pattern), "GET")
    for kind in server.request("kinds", store=ORDER["store"]).json["kinds"]:
        check(server.request("things", store=ORDER["store"], kind=kind), "/things", "GET")
    reply = server.request("verdicts", store=ORDER["store"], endpoint=["churn-prod", "nothing"])
    check(reply, "/verdicts", "GET")
    for direction in ("upstream", "downstream", "both"):
        asked = {"store": ORDER["store"], "ref": "model:churn@1", "direction": direction, "depth": 5}
        check(server.request("explore", **asked), "/explore", "GET")


def test_ingests_are_as_the_document_says(server: Server) -> None:
    idle(server)
    begun = server.request("ingests", "POST", body=ORDER)
    assert begun.status == 202
    check(begun, "/ingests", "POST")
    number = begun.json["id"]
    check(server.request(f"ingests/{number}"), "/ingests/{id}", "GET")
    check(server.request(f"ingests/{number}", "DELETE"), "/ingests/{id}", "DELETE")
    idle(server)
    check(server.request(f"ingests/{number}"), "/ingests/{id}", "GET")
    check(server.request("ingests"), "/ingests", "GET")


def test_each_failure_is_as_the_document_says(server: Server) -> None:
    for path, method, _ in operations():
        address = path.removeprefix("/").replace("{id}", "none")
        for more in ({"token": False}, {"headers": {"Host": "evil.example"}}, {"nonsense": "x"}):
            reply = server.request(address, method, body={} if method == "POST" else None, **more)  # type: ignore[arg-type]
            assert reply.status in (400, 403)
            check(reply, path, method)
    for path, asked in (
        ("kinds", {"store": "nothing.db"}),
        ("kinds", {"store": "foreign.db"}),
        ("kinds", {"store": "../x"}),
        ("kinds", {"store": "team"}),
        ("audit", {"store": ORDER["store"], "endpoint": "nothing"}),
    ):
        reply = server.request(path, **asked)
        assert reply.status in (403, 404, 422, 503)
        check(reply, f"/{path}", "GET")
    valid(server.request("/somebody/witness/broken", store=ORDER["store"]).json, schema_for("/kinds", "GET", 500))


def test_each_status_that_a_failure_may_have_is_described() -> None:
    from lineage_explorer.server.errors import STATUS

    text = resolved(DOCUMENT["components"]["responses"]["Failure"])["description"]
    for status in set(STATUS.values()) - {499}:  # nobody is there to read that one
        assert re.search(rf"\b{status}\b", text), status


def test_the_document_is_whole() -> None:
    """Every reference leads somewhere, everything that is there is used, and every schema is one."""
    text = str(DOCUMENT)
    used = set(re.findall(r"'\$ref': '(#[^']+)'", text))
    for target in used:
        assert resolved({"$ref": target})
    there = {
        f"#/components/{part}/{name}"
        for part, items in DOCUMENT["components"].items()
        if part != "securitySchemes"
        for name in items
    }
    assert there == used
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    identifiers = [operation["operationId"] for _, _, operation in operations()]
    assert len(identifiers) == len(set(identifiers))
    assert all(operation["summary"] for _, _, operation in operations())


def test_the_document_that_is_served_names_its_server(server: Server) -> None:
    said = server.request("openapi.json").json
    assert said["servers"] == [{"url": BASE.rstrip("/")}]
    assert {**said, "servers": []} == {**DOCUMENT, "servers": []}


def test_a_question_is_read_from_its_query_as_a_browser_writes_it() -> None:
    asked = from_query(QUESTIONS["search"].asked, {"store": [b"a"], "query": ["Kündigung".encode()]})
    assert asked.query == "Kündigung"  # type: ignore[attr-defined]
    assert quote("Kündigung") == "K%C3%BCndigung"
