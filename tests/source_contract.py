"""What every source promises, whatever system it reads: one suite that each source's tests subclass.

A subclass says what its source is and writes a small location of its own kind::

    class TestMySource(SourceContract):
        source_class = MySource

        @pytest.fixture
        def location(self, tmp_path: Path) -> str:
            '''A healthy location, with everything the source can say.'''

        @pytest.fixture
        def broken_location(self, tmp_path: Path) -> str:
            '''A location with something in it that cannot become a record, and something that can.'''

        @pytest.fixture
        def secret_location(self, tmp_path: Path) -> str:
            '''A location with SECRETS planted where users leave them.'''

A fixture that makes no sense for a source calls ``pytest.skip`` with the reason. ``forbidden_imports`` names
what importing the source must not bring in.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from lineage_explorer.records import Activity, Agent, Entity, Ref, digest_of, from_json, to_json
from lineage_explorer.sources import Observation, Rejected, Source, available, open_source
from lineage_explorer.store import Store, open_store

#: Planted by ``secret_location``: each is a secret by its shape or by the name beside it (see ``PLANTED``).
SECRETS = {
    "signature": "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9",
    "account_key": "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4",
    "github": "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
    "password": "correct-horse-battery-staple",
}
#: The same secrets, written as people write them: ready to be planted as values.
PLANTED = {
    "a_url": f"https://acme.blob.core.windows.net/data/x.csv?sv=2024&sig={SECRETS['signature']}",
    "a_connection": f"AccountName=acme;AccountKey={SECRETS['account_key']};",
    "a_note": f"cloned with {SECRETS['github']} by hand",
    "password": SECRETS["password"],
}


def observations(items: Iterable[Observation | Rejected]) -> list[Observation]:
    return [item for item in items if isinstance(item, Observation)]


def rejections(items: Iterable[Observation | Rejected]) -> list[Rejected]:
    return [item for item in items if isinstance(item, Rejected)]


def contents(folder: Path) -> dict[str, bytes | None]:
    """Every file and folder below a folder, with the bytes of the files."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


class SourceContract:
    """Subclass it as ``class TestMySource(SourceContract)``; pytest does not collect this class itself."""

    source_class: ClassVar[type[Source]]
    forbidden_imports: ClassVar[tuple[str, ...]] = ("mlflow", "pandas")

    # What a subclass must say. These raise, where a skip would let a source pass that nobody tried.

    @pytest.fixture
    def location(self, tmp_path: Path) -> str:
        raise NotImplementedError("write a healthy location below tmp_path")

    @pytest.fixture
    def broken_location(self, tmp_path: Path) -> str:
        raise NotImplementedError("write a location with something unusable in it below tmp_path")

    @pytest.fixture
    def secret_location(self, tmp_path: Path) -> str:
        raise NotImplementedError("write a location with PLANTED secrets in it below tmp_path")

    @pytest.fixture
    def empty_location(self, tmp_path: Path) -> str:
        """A place where there is nothing to read."""
        folder = tmp_path / "nothing-in-here"
        folder.mkdir()
        return str(folder)

    @pytest.fixture
    def foreign_locations(self, tmp_path: Path) -> list[str]:
        """What no source may claim."""
        folder = tmp_path / "foreign"
        folder.mkdir()
        (folder / "notes.txt").write_text("type,model\nA deployment of a model, and a run that used a dataset.\n")
        (folder / "empty.json").write_bytes(b"")
        (folder / "other.json").write_text(json.dumps({"name": "left-pad", "version": "1.0.0", "type": "module"}))
        (folder / "list.json").write_text(json.dumps([1, "two", None, {"id": 3}]))
        (folder / "other.yml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: web}\n")
        (folder / "people.csv").write_text("name,age\nAda,36\n")
        (folder / "binary.bin").write_bytes(bytes(range(256)) * 20)
        (folder / "binary.json").write_bytes(b"\x00\xff\xfe{" + bytes(range(256)))
        (folder / "deep.json").write_text("[" * 100_000)
        database = sqlite3.connect(folder / "other.db")
        database.execute("CREATE TABLE runs (id INTEGER)")
        database.commit()
        database.close()
        return [str(folder), *(str(path) for path in sorted(folder.iterdir()))]

    @pytest.fixture
    def stored(self, tmp_path: Path) -> Iterator[Store]:
        (tmp_path / "store").mkdir()
        with open_store(tmp_path / "store" / "lineage.db", create_missing=True) as opened:
            yield opened

    def opened(self, location: str, namespace: str | None = None) -> Source:
        return self.source_class(location, namespace=namespace)

    def seen(self, location: str) -> list[Observation]:
        return observations(self.opened(location).read())

    # --- what it is, and what it recognises ---

    def test_it_is_a_source_and_is_found_by_its_name(self, location: str) -> None:
        source = self.opened(location)
        assert isinstance(source, Source)
        assert source.name in available()
        assert isinstance(open_source(f"{source.name}:{location}"), self.source_class)
        assert source.summary.strip()
        assert "\n" not in source.summary

    def test_it_is_chosen_by_content(self, location: str) -> None:
        assert self.source_class.recognises(location)
        assert isinstance(open_source(location), self.source_class)

    def test_it_claims_nothing_that_is_not_its_own(self, foreign_locations: list[str]) -> None:
        assert [place for place in foreign_locations if self.source_class.recognises(place)] == []

    def test_an_absent_or_empty_location_is_not_recognised_and_not_made(
        self, empty_location: str, tmp_path: Path
    ) -> None:
        before = contents(tmp_path)
        for place in (empty_location, str(tmp_path / "absent"), str(tmp_path / "absent" / "deeper.json"), "", "\0"):
            assert not self.source_class.recognises(place)
        assert contents(tmp_path) == before

    # --- reading ---

    def test_reading_changes_nothing_and_creates_nothing(self, location: str, tmp_path: Path) -> None:
        before = contents(tmp_path)
        self.source_class.recognises(location)
        assert self.seen(location)
        assert contents(tmp_path) == before

    def test_reading_twice_says_the_same(self, location: str) -> None:
        def said(items: Iterable[Observation | Rejected]) -> list[Any]:
            return [
                (digest_of(item.record), item.position) if isinstance(item, Observation) else astuple_of(item)
                for item in items
            ]

        source = self.opened(location)
        first = said(source.read())
        assert first
        assert said(source.read()) == first == said(self.opened(location).read())

    def test_everything_has_a_position(self, location: str, broken_location: str) -> None:
        for place in (location, broken_location):
            for item in self.opened(place).read():
                assert item.position.strip(), item

    def test_references_survive_their_text_form(self, location: str) -> None:
        for item in self.seen(location):
            for ref in item.record.refs():
                assert Ref.parse(str(ref)) == ref

    def test_records_survive_their_json_form(self, location: str) -> None:
        for item in self.seen(location):
            plain = to_json(item.record)
            assert to_json(from_json(plain)) == plain

    def test_times_are_aware_and_utc(self, location: str) -> None:
        times = list(moments(self.seen(location)))
        assert times
        for time in times:
            assert time.utcoffset() == timedelta(0), time
            assert time.tzinfo is UTC

    def test_a_namespace_renames_what_the_source_issues_and_nothing_else(self, location: str) -> None:
        usual = self.opened(location)
        before = observations(usual.read())
        renamed = self.opened(location, namespace="renamed-by-test")
        assert renamed.namespace == "renamed-by-test"
        after = observations(renamed.read())
        assert len(after) == len(before)
        changed = 0
        for old, new in zip(before, after, strict=True):
            for was, now in zip(old.record.refs(), new.record.refs(), strict=True):
                moved = Ref(was.kind, was.name, was.version, "renamed-by-test", was.alias)
                if usual.namespace:
                    assert now == (moved if was.namespace == usual.namespace else was)
                else:
                    assert now in ((moved, was) if not was.namespace else (was,))
                changed += now != was
            assert type(new.record) is type(old.record)
            assert new.position == old.position
        assert changed

    # --- what cannot be read ---

    def test_what_cannot_be_read_is_said_and_does_not_stop_the_rest(self, broken_location: str) -> None:
        items = list(self.opened(broken_location).read())
        assert rejections(items)
        assert observations(items)
        for item in rejections(items):
            assert item.reason.strip()
            assert len(item.excerpt) <= 2_000

    # --- into a store ---

    def test_nothing_is_lost_on_the_way_into_a_store(self, location: str, broken_location: str, stored: Store) -> None:
        for place in (location, broken_location):
            source = self.opened(place)
            read = len(list(source.read()))
            result = stored.ingest(source)
            assert result.read == read
            assert result.read == result.stored + result.unchanged + result.quarantined
            assert result.quarantined >= len(rejections(source.read()))

    def test_a_healthy_location_is_stored_whole(self, location: str, stored: Store) -> None:
        items = list(self.opened(location).read())
        expected = len(rejections(items))
        assert stored.ingest(self.opened(location)).quarantined == expected

    def test_reading_again_into_a_store_adds_nothing(self, location: str, stored: Store) -> None:
        first = stored.ingest(self.opened(location))
        second = stored.ingest(self.opened(location))
        assert first.stored > 0
        assert second.stored == 0
        assert second.read == first.read

    def test_nothing_is_described_in_two_ways_in_one_reading(self, location: str) -> None:
        """Else each reading would journal A, B, A, B..., as though something had changed. Saying it again is harmless."""
        described: dict[str, set[str]] = {}
        for item in self.seen(location):
            if isinstance(item.record, (Entity, Activity, Agent)):
                described.setdefault(item.record.ref, set()).add(digest_of(item.record))
        assert {ref: forms for ref, forms in described.items() if len(forms) > 1} == {}

    def test_planted_secrets_do_not_reach_the_store(self, secret_location: str, tmp_path: Path, stored: Store) -> None:
        raw = b"".join(body for body in contents(tmp_path).values() if body)
        assert any(secret.encode() in raw for secret in SECRETS.values()), "the fixture planted nothing"
        result = stored.ingest(self.opened(secret_location))
        assert result.stored > 0
        stored.close()
        kept = b"".join(path.read_bytes() for path in (tmp_path / "store").iterdir())
        assert [name for name, secret in SECRETS.items() if secret.encode() in kept] == []

    # --- cost ---

    def test_importing_it_brings_in_nothing_heavy(self) -> None:
        module = self.source_class.__module__
        code = (
            f"import sys; import {module}; print([name for name in {self.forbidden_imports!r} if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def astuple_of(item: Rejected) -> tuple[str, str, str]:
    return (item.reason, item.position, item.excerpt)


def moments(items: Iterable[Observation]) -> Iterator[datetime]:
    """Every time in records and observations."""
    for item in items:
        for owner in (item, item.record):
            for field in msgspec.structs.fields(owner):
                value = getattr(owner, field.name)
                if isinstance(value, datetime):
                    yield value
