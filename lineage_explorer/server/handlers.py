"""The handlers, and the list of all routes. Each asks one thing of the rooms below and writes it as JSON."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, unquote_plus

import msgspec
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, RequestHandler, authenticated

from ..errors import StoreError, StoreNotFound
from ..policy import shipped_policies
from ..version import __version__
from .answers import QUESTIONS, Asking, Question, VerdictCache, head_of
from .connections import Connections
from .errors import REASONS, failure_of
from .headers import must_be_known
from .ingests import Ingests
from .openapi import document
from .parameters import Nothing, OfStore, Order, from_body, from_query
from .reading import Task
from .stores import Place, Stores
from .work import Job, Work

Method = TypeVar("Method", bound=Callable[..., Any])
#: The longest body of a request, in bytes; what is asked for is a few lines.
_LONGEST = 64 * 1024


#: For what changes a store or runs something: another permission than looking.
executing: Callable[[Method], Method] = authorized("execute")


@dataclass(frozen=True)
class Rooms:
    """What the handlers share."""

    stores: Stores
    connections: Connections
    work: Work
    ingests: Ingests
    verdicts: VerdictCache = field(default_factory=VerdictCache)


class Reply(NamedTuple):
    """An answer, or only its tag when the client has the answer already."""

    etag: str
    body: bytes = b""


class Handler(APIHandler):
    """What every handler of ours does: refuses, tags, tells failures, and stops when its client leaves."""

    auth_resource = "lineage_explorer"

    def initialize(self, rooms: Rooms) -> None:
        """Take what the handlers share."""
        self.rooms = rooms
        self.job = Job()
        self._etag = ""
        # Jupyter logs this text; a password that somebody typed into it is not for a log.
        self.request.uri = self._without_secrets(self.request.uri or "")

    def _without_secrets(self, uri: str) -> str:
        path, mark, query = uri.partition("?")
        parts = [(part, unquote_plus(part)) for part in query.split("&")]
        clean = self.rooms.stores.clean
        return path + mark + "&".join(part if clean(text) == text else quote(clean(text), "=") for part, text in parts)

    # --- who may ask ---

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse a strange host, strangers, and requests that a page of somebody else made."""
        await super().prepare()
        if self.request.method in ("GET", "HEAD"):  # of the other methods Jupyter has asked for it by now
            self.check_xsrf_cookie()
            if not self.token_authenticated and not self.settings.get("disable_check_xsrf", False):
                # Jupyter lets a GET pass that names a page of ours as its referrer; what is told here is worth a token.
                RequestHandler.check_xsrf_cookie(self)

    # --- what is answered ---

    def set_default_headers(self) -> None:
        """Answers are for one user, and asked for again each time (most come back as 304)."""
        super().set_default_headers()
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")

    def take_no_parameters(self) -> None:
        """Refuse a query: what is not read must not look as if it was.

        Raises
        ------
        InvalidParameter
            Naming the parameter.
        """
        from_query(Nothing, self.request.query_arguments)

    async def reply(self, value: Any) -> None:
        """Write JSON values."""
        body = msgspec.json.encode(value)
        self._etag = _tag(body)
        await self.finish(body)

    def compute_etag(self) -> str | None:
        """The tag of the answer, which tornado compares with those that the client has."""
        return self._etag or None

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell a failure as the one table says."""
        error = kwargs["exc_info"][1] if "exc_info" in kwargs else HTTPError(status_code)
        failure = failure_of(error, self.rooms.stores.clean)
        if failure.logged:
            self.log.error(failure.logged)
        self.set_status(failure.status, REASONS.get(failure.status))
        self.finish(failure.body)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Nothing: `write_error` logs what was not foreseen, without secrets, and the rest is in the access log."""

    def on_connection_close(self) -> None:
        """Stop what the client no longer waits for."""
        super().on_connection_close()
        # Kept, or it might be collected before it is done.
        self._leaving = asyncio.ensure_future(self.rooms.work.cancel(self.job))

    def on_finish(self) -> None:
        """Nothing is left to stop."""
        super().on_finish()
        self.job.ended = True


class StoresHandler(Handler):
    """Which stores are there?"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        self.take_no_parameters()
        await self.reply(await self.rooms.work.do(self._listed, self.job))

    def _listed(self) -> dict[str, Any]:
        places, roots = self.rooms.stores.listed()
        return {"stores": [self._row(item) for item in places], "roots": [root._asdict() for root in roots]}

    def _row(self, item: Place | tuple[str, str]) -> dict[str, Any]:
        row: dict[str, Any] = {"size": None, "entries": None, "problem": None}
        if not isinstance(item, Place):
            name, problem = item
            return {"name": name, "title": name, "kind": None, "python": "", **row, "problem": self._clean(problem)}
        told: dict[str, Any] = {"name": item.name, "title": item.title, "kind": item.kind, "python": item.python, **row}
        if item.kind == "sqlite":  # a server is asked when somebody opens it: one that is down must not stop this list
            self.job.check()
            try:
                told["size"] = Path(item.location).stat().st_size
                with self.rooms.work.asking(item, self.job) as store:
                    told["entries"] = store.checkpoint().size
            except OSError as error:
                told["problem"] = error.strerror
            except StoreError as error:
                told["problem"] = self._clean(str(error))
        return told

    def _clean(self, text: str) -> str:
        return self.rooms.stores.clean(text)


class QuestionHandler(Handler):
    """A question to one store."""

    def initialize(self, rooms: Rooms, question: Question) -> None:  # type: ignore[override]
        """Take the question."""
        super().initialize(rooms)
        self.question = question

    @authenticated
    @authorized
    async def get(self) -> None:
        """Answer it."""
        asked: OfStore = from_query(self.question.asked, self.request.query_arguments)
        reply = await self.rooms.work.do(lambda: self._answer(asked), self.job)
        self._etag = reply.etag
        await self.finish(reply.body)

    def _answer(self, asked: OfStore) -> Reply:
        place = self.rooms.stores.find(asked.store)
        with self.rooms.work.asking(place, self.job) as store:
            head = head_of(store)
            fixed = self.question.fixed(asked)
            tag = ""
            if fixed is not None:
                said = [__version__, head, fixed, self.question.asked.__name__, msgspec.structs.asdict(asked)]
                tag = _tag(msgspec.json.encode(said))
                if self._is_known(tag):
                    return Reply(tag)
            asking = Asking(store, self.job, head, self.rooms.verdicts, self.rooms.stores.clean)
            body = msgspec.json.encode(self.question.answer(asking, asked))
        return Reply(tag or _tag(body), body)

    def _is_known(self, tag: str) -> bool:
        return tag in re.findall(r'"[^"]*"', self.request.headers.get("If-None-Match", ""))


class PoliciesHandler(Handler):
    """Which policies are there?"""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        self.take_no_parameters()
        await self.reply({"policies": shipped_policies()})


class IngestsHandler(Handler):
    """The ingests that this server runs and ran."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them, the last one first."""
        self.take_no_parameters()
        await self.reply({"ingests": self.rooms.ingests.listed()})

    @authenticated
    @executing
    async def post(self) -> None:
        """Start one."""
        self.take_no_parameters()
        if len(self.request.body) > _LONGEST:
            raise HTTPError(413, f"the body is longer than {_LONGEST} bytes")
        order = from_body(Order, self.request.body)
        place, task = await self.rooms.work.do(lambda: self._task(order), self.job)
        said = self.rooms.ingests.start(place.name, order.source, task)
        self.set_status(202)
        self.set_header("Location", url_path_join(self.base_url, PREFIX, "ingests", said["id"]))
        await self.reply(said)

    def _task(self, order: Order) -> tuple[Place, Task]:
        stores = self.rooms.stores
        place = stores.new(order.store) if order.create else stores.find(order.store)
        path = Path(place.location)
        if place.kind == "sqlite" and path.exists():
            try:
                must_be_known(path, current=False)
            except StoreNotFound:  # an empty file
                if not order.create:
                    raise
        return place, Task(
            store=place.location,
            create=order.create and place.kind == "sqlite",
            source=stores.source(order.source),
            namespace=order.namespace,
            full=order.full,
        )


class IngestHandler(Handler):
    """One ingest."""

    @authenticated
    @authorized
    async def get(self, number: str) -> None:
        """How it goes."""
        self.take_no_parameters()
        await self.reply(self.rooms.ingests.get(number))

    @authenticated
    @executing
    async def delete(self, number: str) -> None:
        """Cancel it."""
        self.take_no_parameters()
        said = self.rooms.ingests.cancel(number)
        self.set_status(202)
        await self.reply(said)


class OpenAPIHandler(Handler):
    """What this is, for programs."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """The OpenAPI document, with the address of this server in it."""
        self.take_no_parameters()
        said = await self.rooms.work.do(document, self.job)  # reading it takes a moment, the first time
        await self.reply({**said, "servers": [{"url": url_path_join(self.base_url, PREFIX)}]})


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


#: Below Jupyter's base URL.
PREFIX = "lineage-explorer"
#: Every route: its pattern below the prefix, its handler, and what the handler is made with.
ROUTES: tuple[tuple[str, type[Handler], dict[str, Any]], ...] = (
    ("stores", StoresHandler, {}),
    *((name, QuestionHandler, {"question": question}) for name, question in QUESTIONS.items()),
    ("policies", PoliciesHandler, {}),
    ("ingests", IngestsHandler, {}),
    ("ingests/([^/]+)", IngestHandler, {}),
    (r"openapi\.json", OpenAPIHandler, {}),
)
