"""Names of stores: what they stand for, and what a search below a root finds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lineage_explorer.errors import LocationNotFound, StoreNotFound
from lineage_explorer.server import stores as module
from lineage_explorer.server.errors import PlaceRefused
from lineage_explorer.server.headers import hold, let_go, schema_of
from lineage_explorer.server.stores import Place, Stores
from lineage_explorer.store.schema import SCHEMA_VERSION

from .conftest import make_store


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_store(tmp_path_factory.mktemp("template") / "lineage.db")


@pytest.fixture
def home(tmp_path: Path, template: Path) -> Path:
    for folder in ("home/mine", "data", "private"):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(template, tmp_path / folder / "lineage.db")
    return tmp_path / "home"


def names(stores: Stores) -> list[str]:
    places, _ = stores.listed()
    return [item.name if isinstance(item, Place) else item[0] for item in places]


def test_each_name_that_is_listed_is_found_again(home: Path) -> None:
    stores = Stores(home, ["mine", str(home.parent / "data"), "."], {"own": "mine/lineage.db"})
    listed = names(stores)
    assert listed == ["own", str(home.parent / "data" / "lineage.db"), "mine/lineage.db"]
    for name in listed:
        assert Path(stores.find(name).location).name == "lineage.db"


def test_the_servers_own_root_is_no_root_when_others_are_configured(home: Path) -> None:
    shutil.copy(home / "mine" / "lineage.db", home / "lineage.db")
    stores = Stores(home, ["mine"], {})
    assert names(stores) == ["mine/lineage.db"]
    with pytest.raises(PlaceRefused):
        stores.find("lineage.db")
    with pytest.raises(PlaceRefused):
        stores.find(str(home.parent / "private" / "lineage.db"))


def test_a_folder_that_only_begins_like_a_root_is_outside(home: Path) -> None:
    (home.parent / "home2").mkdir()
    shutil.copy(home / "mine" / "lineage.db", home.parent / "home2" / "lineage.db")
    with pytest.raises(PlaceRefused):
        Stores(home, ["."], {}).find(str(home.parent / "home2" / "lineage.db"))


def test_a_file_that_is_called_like_a_configured_store_is_told_from_it(home: Path) -> None:
    shutil.copy(home / "mine" / "lineage.db", home / "team")
    shutil.copy(home / "mine" / "lineage.db", home / "team.db")
    stores = Stores(home, ["."], {"team.db": "mine/lineage.db"})
    assert stores.find("team.db").location == str(home / "mine" / "lineage.db")
    assert str(home / "team.db") in names(stores)
    assert stores.find(str(home / "team.db")).location == str(home / "team.db")


@pytest.mark.parametrize("name", ["", "../team", "a/b", "postgresql://x", ".team", "team\n", "x" * 101])
def test_a_configured_name_is_no_path(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a store"):
        Stores(Path("/"), [], {name: "x.db"})


@pytest.mark.parametrize(
    ("address", "hidden"),
    [
        ("postgresql://ada@db/lineage", False),
        ("postgresql://ada@db/lineage?schema=x&sslmode=require", False),
        ("postgresql://ada:secret-1@db/lineage", True),
        ("postgresql+psycopg://ada:secret-1@db/lineage", True),
        ("postgresql://db/lineage?password=secret-1", True),
        ("postgresql://db/lineage?sslpassword=secret-1", True),
        ("postgresql://db/lineage?unknown=secret-1", True),
        ("postgresql://ada:se%63ret-1@db/lineage", True),
    ],
)
def test_an_address_with_a_secret_is_not_told(address: str, hidden: bool) -> None:
    stores = Stores(Path("/data"), [], {"my team": address})
    place = stores.find("my team")
    assert place.python == ('open_store(os.environ["LINEAGE_STORE_MY_TEAM"])' if hidden else f"open_store({address!r})")
    assert place.title == "my team"
    told = stores.clean(f"cannot open {place.location!r}, nor {address}, nor with secret-1 or se%63ret-1")
    assert hidden == ("[redacted]" in told)
    assert not hidden or ("cret-1" not in told)


def test_an_address_from_the_environment_is_the_kernels_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_STORE", "postgresql://ada:secret-1@db/lineage")
    stores = Stores(home, [], {"team": "$MY_STORE", "braced": "${MY_STORE}", "none": "$NOT_SET"})
    assert stores.find("team").python == stores.find("braced").python == 'open_store(os.environ["MY_STORE"])'
    assert "secret-1" not in stores.clean("it says secret-1")
    with pytest.raises(StoreNotFound, match="NOT_SET is not set"):
        stores.find("none")


def test_a_server_that_does_not_answer_is_given_up(home: Path) -> None:
    stores = Stores(home, [], {"a": "postgresql://db/lineage", "b": "postgresql://db/lineage?connect_timeout=60"})
    assert stores.find("a").location.endswith("connect_timeout=5")
    assert stores.find("b").location.endswith("connect_timeout=60")


@pytest.mark.parametrize(
    ("name", "bound", "value"),
    [("many entries", "_MOST_ENTRIES", 3), ("many stores", "_MOST_STORES", 1), ("deep", "_DEEPEST", 1)],
)
def test_a_search_says_when_it_came_to_a_bound(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, bound: str, value: int
) -> None:
    (home / "mine" / "deeper" / "deepest").mkdir(parents=True)
    for folder in ("mine/deeper", "mine/deeper/deepest"):
        shutil.copy(home / "mine" / "lineage.db", home / folder)
    stores = Stores(home, ["."], {})
    assert stores.listed()[1][0].complete
    assert len(names(stores)) == 3
    monkeypatch.setattr(module, bound, value)
    assert not stores.listed()[1][0].complete
    assert 0 < len(names(stores)) < 3


def test_a_source_keeps_its_prefix_and_is_told_in_full(home: Path) -> None:
    (home / "records.jsonl").write_text("")
    stores = Stores(home, ["."], {})
    assert stores.source("records.jsonl") == str(home / "records.jsonl")
    assert stores.source("records:records.jsonl") == f"records:{home / 'records.jsonl'}"
    assert stores.source("mlflow:https://mlflow.example.org") == "mlflow:https://mlflow.example.org"
    assert stores.source("sqlite:///mine/lineage.db") == str(home / "mine" / "lineage.db")
    with pytest.raises(LocationNotFound, match=r"did you mean 'records\.jsonl'"):
        stores.source("record.jsonl")


def test_the_bytes_of_a_file_that_a_database_has_open_are_not_read(home: Path) -> None:
    """Closing them would take SQLite's locks away."""
    path = home / "mine" / "lineage.db"
    held = hold(path)
    path.write_bytes(b"something else")
    assert schema_of(path) == SCHEMA_VERSION
    let_go(held)
    with pytest.raises(Exception, match="not a lineage-explorer store"):
        schema_of(path)
