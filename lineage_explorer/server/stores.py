"""Which stores this server opens: those that its configuration names, and store files below its roots. No others."""

from __future__ import annotations

import difflib
import os
import re
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from ..errors import LocationNotFound, NotAStore, StoreError, StoreNotFound
from ..redaction import MARK, redact_text
from ..sources import available
from .errors import InvalidParameter, PlaceRefused
from .headers import schema_of

#: Endings of the files that are looked at, and that a new store may have.
SUFFIXES = (".db", ".sqlite")
_SKIPPED = frozenset({"node_modules", "bower_components", "site-packages", "__pycache__", "venv", "env", "lost+found"})
#: Bounds of a search below a root; a root says when it came to one.
_DEEPEST, _MOST_ENTRIES, _MOST_STORES = 8, 50_000, 500
#: Parameters of a server's address that hold no secret. Whatever else stands in a query stays here.
_HARMLESS = frozenset({"schema", "sslmode", "connect_timeout", "application_name", "target_session_attrs"})
#: Seconds until a server that does not answer is given up, where its address does not say.
_CONNECT_SECONDS = "5"
_NAME = re.compile(r"[^\W_][\w. -]{0,99}\Z")


class Place(NamedTuple):
    """A store that may be opened.

    Attributes
    ----------
    name : str
        What requests call it.
    location : str
        What opens it. Never sent to a client, never logged.
    python : str
        How a notebook opens it: an expression without a secret in it.
    """

    name: str
    title: str
    kind: Literal["sqlite", "postgresql"]
    location: str
    python: str


class Root(NamedTuple):
    """A folder below which store files are found.

    Attributes
    ----------
    complete : bool
        False when the search came to one of its bounds, or to a folder that it could not read.
    """

    title: str
    entries: int
    complete: bool


class Stores:
    """The names that requests may use, and what they stand for.

    Parameters
    ----------
    home : Path
        The Jupyter server's own root: names of files are relative to it.
    roots : iterable of str
        Folders; relative ones stand below home.
    configured : mapping
        Addresses by name: a path, ``postgresql://...``, or ``$VARIABLE`` of the environment.

    Raises
    ------
    ValueError
        When a configured name could be taken for a path.

    Examples
    --------
    >>> Stores(Path("/data"), ["."], {"team": "postgresql://ada:pw@db/lineage"}).find("team").python
    'open_store(os.environ["LINEAGE_STORE_TEAM"])'
    """

    def __init__(self, home: Path, roots: Iterable[str], configured: Mapping[str, str]) -> None:
        self._home = home.resolve()
        self._roots = tuple(dict.fromkeys((self._home / Path(root).expanduser()).resolve() for root in roots))
        for name in configured:
            if not _NAME.match(name):
                raise ValueError(f"{name!r} cannot name a store: letters, digits, '.', '_', '-' and spaces can")
        self._configured = dict(configured)

    # --- finding ---

    def find(self, name: str) -> Place:
        """The store of a name.

        Raises
        ------
        PlaceRefused
            When the name leads out of the roots.
        StoreNotFound
            When there is nothing of that name.
        """
        if name in self._configured:
            return self._of_address(name, self._configured[name])
        path = self._inside(name)
        if not path.exists():
            raise StoreNotFound(f"there is no store {name!r}{self._near(path)}")
        return self._of_file(path)

    def new(self, name: str) -> Place:
        """Where a store of a name may be made, or is.

        Raises
        ------
        PlaceRefused
            When the name leads out of the roots, or is no name for a store.
        StoreNotFound
            When the folder is not there.
        """
        if name in self._configured:
            return self._of_address(name, self._configured[name])
        path = self._inside(name)
        if path.suffix.lower() not in SUFFIXES:
            raise PlaceRefused(f"a new store's name ends with {' or '.join(SUFFIXES)}, unlike {name!r}")
        if not path.parent.is_dir():
            raise StoreNotFound(f"the folder of {name!r} is not there{self._near(path.parent)}")
        return self._of_file(path)

    def source(self, text: str) -> str:
        """A source's location, when this server may read it: an ``http(s)://`` address, or a path below the roots.

        Returns
        -------
        str
            With the path in full, and its ``name:`` if it had one.

        Raises
        ------
        PlaceRefused
            When it is neither.
        LocationNotFound
            When nothing is there.
        """
        head, colon, rest = text.partition(":")
        prefix = f"{head}:" if colon and rest and head in available() else ""
        place = text.removeprefix(prefix)
        if place.lower().startswith(("http://", "https://")):
            return prefix + place
        path = self._inside(place.removeprefix("sqlite:///"))
        if not path.exists():
            raise LocationNotFound(f"there is nothing at {redact_text(place)!r}{self._near(path)}")
        if path.is_dir():
            self._must_stay(path)
        return prefix + str(path)

    def _inside(self, text: str) -> Path:
        """The real path that a text means, when that is below a root."""
        refused = PlaceRefused(
            f"{redact_text(text)[:200]!r} is no place that this server may open: give the path of a file below one of its "
            "roots, or a name that is configured (LineageExplorer.roots, LineageExplorer.stores)"
        )
        path = Path(text)
        if "\0" in text or "://" in text or ".." in path.parts:
            raise refused
        try:
            real = (self._home / path).resolve()
        except (OSError, RuntimeError) as error:  # links that lead in a circle
            raise refused from error
        if not any(self._shows(root, real) for root in self._roots):
            raise refused
        return real

    @staticmethod
    def _shows(root: Path, path: Path) -> bool:
        """Whether a path is below a root with nothing hidden on the way: Jupyter does not show that either."""
        return path.is_relative_to(root) and not any(part.startswith(".") for part in path.relative_to(root).parts)

    def _must_stay(self, folder: Path) -> None:
        """A folder is read with what is in it: no link among that may lead out of the roots."""
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                path = Path(parent, name)
                if path.is_symlink() and not any(path.resolve().is_relative_to(root) for root in self._roots):
                    raise PlaceRefused(f"{self._name(folder)!r} holds a link that leads out of the roots: {name!r}")

    def _near(self, path: Path) -> str:
        """What is called alike beside a path; nothing outside the roots is told."""
        folder = path.parent
        if not any(folder.is_relative_to(root) for root in self._roots) or not folder.is_dir():
            return ""
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
        close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
        return f"; did you mean {' or '.join(repr(self._name(folder / name)) for name in close)}?" if close else ""

    # --- naming ---

    def _name(self, path: Path) -> str:
        if path.is_relative_to(self._home):
            short = path.relative_to(self._home).as_posix()
            if short not in self._configured:
                return short
        return path.as_posix()

    def _of_file(self, path: Path) -> Place:
        return Place(self._name(path), path.name, "sqlite", str(path), f"open_store({str(path)!r})")

    def _of_address(self, name: str, address: str) -> Place:
        variable = "LINEAGE_STORE_" + re.sub(r"\W", "_", name).upper()
        hidden = address.startswith("$")
        if hidden:
            variable = address.removeprefix("$").strip("{}")
            address = os.environ.get(variable, "")
            if not address:
                raise StoreNotFound(
                    f"store {name!r}: the environment variable {variable} is not set where Jupyter runs"
                )
        python = f'open_store(os.environ["{variable}"])'
        if urlsplit(address).scheme.startswith("postgres"):
            if not hidden and not _has_secret(address):
                python = f"open_store({address!r})"
            return Place(name, name, "postgresql", _with_timeout(address), python)
        path = (self._home / Path(address.removeprefix("sqlite:///")).expanduser()).resolve()
        if "://" in str(address.removeprefix("sqlite:///")):
            raise StoreNotFound(f"store {name!r} is configured with an address that is none of a store's")
        if not path.exists():
            raise StoreNotFound(f"store {name!r} is configured, and there is no file at its place")
        return Place(name, name, "sqlite", str(path), f"open_store({str(path)!r})")

    # --- listing ---

    def listed(self) -> tuple[list[Place | tuple[str, str]], list[Root]]:
        """Every store that is configured or found; for one that cannot be told, its name and why."""
        found: list[Place | tuple[str, str]] = []
        for name in self._configured:
            try:
                found.append(self.find(name))
            except StoreNotFound as error:
                found.append((name, str(error)))
        searched = [_Search(self, root) for root in self._roots]
        files = sorted({path for search in searched for path in search.files})
        return found + [self._of_file(path) for path in files], [
            Root(str(search.root), search.entries, search.complete) for search in searched
        ]

    def shows(self, path: Path) -> bool:
        """Whether a real path is below a root."""
        return any(self._shows(root, path) for root in self._roots)

    def clean(self, text: str) -> str:
        """A text without secrets: their shapes, and the very addresses that are configured here."""
        for value in self._configured.values():
            address = os.environ.get(value.removeprefix("$").strip("{}"), "") if value.startswith("$") else value
            if _has_secret(address):
                text = text.replace(_with_timeout(address), MARK).replace(address, MARK)
                for secret in _secrets(address):
                    text = text.replace(secret, MARK)
        return redact_text(text)


class _Search:
    """A walk below a root for files that may be stores, as far as its bounds let it go."""

    def __init__(self, stores: Stores, root: Path) -> None:
        self.root = root
        self.entries = 0
        self.complete = True
        self.files: list[Path] = []
        self._stores = stores
        folders = deque([(root, 0)])
        while folders:  # the nearest first, so that a bound leaves out what is far
            folder, depth = folders.popleft()
            found = self._look(folder)
            if found and depth == _DEEPEST:
                self.complete = False
            else:
                folders.extend((path, depth + 1) for path in found)

    def _look(self, folder: Path) -> list[Path]:
        """Take the files of a folder; gives the folders in it."""
        folders: list[Path] = []
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            self.complete = False
            return folders
        for entry in entries:
            if self.entries >= _MOST_ENTRIES or len(self.files) >= _MOST_STORES:
                self.complete = False
                return []
            self.entries += 1
            if entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):  # a link to a folder could lead in a circle
                if entry.name not in _SKIPPED:
                    folders.append(path)
            elif path.suffix.lower() in SUFFIXES:
                self._take(path)
        return folders

    def _take(self, path: Path) -> None:
        try:
            path.name.encode()
            real = path.resolve()
            if self._stores.shows(real):
                schema_of(real)
                self.files.append(real)
        except (NotAStore, StoreNotFound):
            return  # a database of somebody else's
        except (StoreError, OSError, RuntimeError, UnicodeEncodeError):
            self.complete = False


# --- addresses ---


def _has_secret(address: str) -> bool:
    """Whether an address holds, or may hold, what must not leave the server."""
    try:
        parts = urlsplit(address)
        password, query = parts.password, parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return True
    if not parts.scheme.startswith("postgres"):
        return redact_text(address) != address
    return password is not None or parts.fragment != "" or any(key not in _HARMLESS for key, _ in query)


def _secrets(address: str) -> list[str]:
    """The parts of an address that are secret, longest first; a word of a letter or two hides nothing."""
    try:
        parts = urlsplit(address)
        password = parts.password or ""
        found = [password, unquote(password), *(item for key, item in parse_qsl(parts.query) if key not in _HARMLESS)]
    except ValueError:
        found = [address]
    return sorted({item for item in found if len(item) > 3}, key=len, reverse=True)


def _with_timeout(address: str) -> str:
    """A server's address that is given up when nobody answers."""
    try:
        parts = urlsplit(address)
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError as error:
        raise InvalidParameter("the configured address cannot be read") from error
    if any(key == "connect_timeout" for key, _ in query):
        return address
    query.append(("connect_timeout", _CONNECT_SECONDS))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), parts.fragment))
