"""The extension as Jupyter Server loads and configures it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from tornado.ioloop import PeriodicCallback
from traitlets import Dict, Int, List, TraitError, Unicode, default, validate

from .connections import Connections
from .handlers import PREFIX, ROUTES, Rooms
from .ingests import Ingests
from .stores import Stores
from .work import Work

#: Milliseconds between two looks for stores that nobody asks any more.
_SWEEP = 30_000


class LineageExplorer(ExtensionApp):
    """Questions about lineage over HTTP: which stores may be opened, and how much is done at once."""

    name = "lineage_explorer"
    roots = List(
        Unicode(),
        help="Folders below which store files are found, and sources may be read. Relative ones stand below the "
        "server's root_dir, which is the default.",
    ).tag(config=True)
    stores = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Further stores by name: a path, postgresql://user@host/database, or $VARIABLE of the environment, which keeps "
        "a password out of the configuration and works in notebooks too.",
    ).tag(config=True)
    most_workers = Int(4, min=1, max=64, help="How many questions are answered at once.").tag(config=True)
    most_ingests = Int(2, min=1, max=16, help="How many ingests run at once.").tag(config=True)

    @default("roots")
    def _root_of_the_server(self) -> list[str]:
        return ["."]

    @validate("stores")
    def _names_are_names(self, proposal: Any) -> Any:
        try:
            Stores(Path.cwd(), (), proposal["value"])
        except ValueError as error:
            raise TraitError(f"LineageExplorer.stores: {error}") from error
        return proposal["value"]

    @property
    def _server(self) -> ServerApp:
        if self.serverapp is None:
            raise RuntimeError("the extension was not linked to a server")
        return self.serverapp

    def initialize_handlers(self) -> None:
        """Open the rooms and put their doors into the server."""
        stores = Stores(Path(self._server.root_dir), self.roots, self.stores)
        connections = Connections(self.most_workers)
        self.rooms = Rooms(
            stores,
            connections,
            Work(connections, self.most_workers),
            Ingests(self.most_ingests, stores.clean, self.log.error),
        )
        self._sweeping = PeriodicCallback(connections.sweep, _SWEEP)
        self.handlers.extend(
            (f"{PREFIX}/{pattern}", handler, {"rooms": self.rooms, **more}) for pattern, handler, more in ROUTES
        )

    async def _start_jupyter_server_extension(self, _serverapp: ServerApp) -> None:
        self._sweeping.start()

    async def stop_extension(self) -> None:
        """Stop what runs and let the stores go, with the server."""
        self._sweeping.stop()
        await asyncio.to_thread(self.rooms.ingests.close)
        await self.rooms.work.close()
