"""A second extension, loaded beside ours by the tests: it sees what cannot be seen from outside the server."""

from __future__ import annotations

import json
import time
from typing import Any

from jupyter_server.auth import Authorizer
from jupyter_server.auth.decorator import allow_unauthenticated
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import RequestHandler

from lineage_explorer.server.answers import Asking, Question
from lineage_explorer.server.handlers import QuestionHandler, Rooms
from lineage_explorer.server.parameters import Kinds

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
#: What happened in the questions below.
EVENTS: list[str] = []
ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c"


class Doorman(Authorizer):
    """Lets in whoever does not say otherwise, and notes what each wanted."""

    wanted: list[tuple[str, str, str]] = []  # noqa: RUF012 - one for the process

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        self.wanted.append((handler.request.method, action, resource))
        return "X-Refuse" not in handler.request.headers


class Seen(JupyterHandler):
    """Tells what was seen."""

    @allow_unauthenticated
    def get(self, what: str) -> None:
        self.finish(json.dumps(getattr(self, what)()))

    def events(self) -> list[str]:
        return EVENTS

    def wanted(self) -> list[tuple[str, str, str]]:
        return Doorman.wanted

    def routes(self) -> list[tuple[str, list[str]]]:
        """Every route of this server below ours, and the methods that its handler has."""
        found = []
        for rule in self.application.wildcard_router.rules + self.application.default_router.rules:
            for inner in getattr(rule.target, "rules", [rule]):
                pattern = getattr(inner.matcher, "regex", None)
                if pattern is None or "/lineage-explorer" not in pattern.pattern or not isinstance(inner.target, type):
                    continue
                has = [
                    method
                    for method in METHODS
                    if getattr(inner.target, method.lower()) is not RequestHandler._unimplemented_method
                ]
                found.append((pattern.pattern.removeprefix("/").rstrip("$"), has))
        return found


class Unprotected(RequestHandler):
    """What a handler looks like that forgot everything."""

    def get(self) -> None:
        self.finish({"stores": []})


def _endless(asking: Asking, _asked: Kinds) -> dict[str, Any]:
    EVENTS.append("began")
    try:
        asking.store._engine.rows(ENDLESS)
    finally:
        EVENTS.append("ended")
    return {}


def _idle(asking: Asking, _asked: Kinds) -> dict[str, Any]:
    """Between two statements for most of its time."""
    EVENTS.append("began")
    try:
        for _ in range(200):
            time.sleep(0.1)
            asking.store._engine.rows("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000) "
                                      "SELECT count(*) FROM c")  # fmt: skip
    finally:
        EVENTS.append("ended")
    return {}


def _broken(_asking: Asking, _asked: Kinds) -> dict[str, Any]:
    raise ZeroDivisionError("postgresql://ada:hunter2@db/lineage and wonderland")


def _counted(_asking: Asking, _asked: Kinds) -> dict[str, Any]:
    EVENTS.append("computed")
    return {}


QUESTIONS = {"endless": _endless, "idle": _idle, "broken": _broken, "counted": _counted}


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(serverapp: Any) -> None:
    rooms: Rooms = serverapp.web_app.settings["lineage_explorer"].rooms
    base = serverapp.base_url
    serverapp.web_app.add_handlers(
        ".*",
        [
            (rf"{base}witness/(events|wanted|routes)", Seen),
            (rf"{base}witness/unprotected", Unprotected),
            *(
                (
                    rf"{base}witness/{name}",
                    QuestionHandler,
                    {"rooms": rooms, "question": Question(Kinds, answer, lambda _asked: "")},
                )
                for name, answer in QUESTIONS.items()
            ),
        ],
    )
