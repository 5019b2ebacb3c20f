"""References of Azure ML things: who issued a name, and how firmly a text names its thing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from ...errors import InvalidRecord
from ...records import Basis, Ref
from ...redaction import redact_text
from .ids import KINDS, Asset, Scope, Uri, parse_id, placeholder_in


class Named(NamedTuple):
    """What a text names."""

    kind: str
    ref: str
    basis: Basis
    asset: Asset | Uri


def filled_in(text: str) -> None:
    """Refuse a text that a template leaves open.

    Raises
    ------
    InvalidRecord
        Naming the placeholder.
    """
    left_open = placeholder_in(text)
    if left_open:
        raise InvalidRecord(f"a template: {left_open!r} is still to be filled in, so it names nothing")


class Names:
    """Writes references of the workspaces that a location tells of.

    A workspace's names are in ``azureml-<workspace>``, a registry's in ``azureml-registry-<registry>``.
    Where two workspaces of one name are told of (in two resource groups), both get eight digits more.

    Parameters
    ----------
    home : str
        Where names belong that nothing places, when the location does not tell of exactly one workspace.
    told : iterable of Scope
        The workspaces in the ids of the records themselves.
    override : bool
        Whether the user chose ``home``: then it is also the name of the only workspace.
    """

    def __init__(self, home: str, told: Iterable[Scope], *, override: bool) -> None:
        scopes = set(told)
        self._own = {scope.workspace for scope in scopes if scope.workspace}
        self._guids = {scope.guid for scope in scopes if scope.guid}
        self._only = next(iter(self._own)) if len(self._own) == 1 else None
        self._chosen = home if override else ""
        self.home = home
        if self._only and not override:
            self.home = self._workspace(self._only)

    def namespace(self, scope: Scope, owner: Scope) -> str:
        """The namespace of a name: of its own scope, else of the record that it stands in, else of home."""
        for said in (scope, owner):
            if said.registry:
                return f"azureml-registry-{said.registry}"
            if said.workspace:
                return self._workspace(said.workspace)
            if said.guid:
                # The number of a workspace. With one workspace and one number, they are the same.
                if len(self._own) <= 1 and self._guids <= {said.guid} and self._only:
                    return self.home
                return f"azureml-{said.guid}"
        return self.home

    def _workspace(self, key: tuple[str, str, str]) -> str:
        name = key[2]
        owners = {own for own in self._own if own[2] == name}
        same = not owners or owners == {key} or (len(owners) == 1 and not (key[0] and key[1]))
        if same:
            if self._chosen and self._only and self._only[2] == name:
                return self._chosen
            return f"azureml-{name}"
        return f"azureml-{name}-{hashlib.sha256('/'.join(key).encode('utf-8', 'replace')).hexdigest()[:8]}"

    def ref(self, kind: str, name: str, scope: Scope, version: str = "", label: str = "") -> str:
        """A reference; names are redacted before a rule could miss a secret in percent-encoding."""
        if version == "latest":
            version, label = "", "latest"  # a label, however it is written
        namespace = self.namespace(scope, scope)
        return str(Ref(kind, redact_text(name), redact_text(version), namespace, redact_text(label)))

    def named(self, text: str, owner: Scope, default: str) -> Named | None:
        """What a text names: an asset, a place outside, or None for a local path or a literal.

        Parameters
        ----------
        text : str
            As written.
        owner : Scope
            Of the record it stands in.
        default : str
            Kind of a name that does not tell it (``azureml:churn:3``).

        Raises
        ------
        InvalidRecord
            When a template's placeholder stands where a name should be, or the kind is not read.
        """
        found = parse_id(text)
        if found is None:
            return None
        filled_in(text)
        if isinstance(found, Uri):
            return Named("dataset", self.ref("dataset", found.text, owner, found.version), "name", found)
        scope = found.scope if any(found.scope) else owner
        if found.collection == "datastores":
            path = "/".join(part for part in (found.name, found.path.strip("/")) if part)
            return Named("dataset", self.ref("dataset", path, scope), "name", found)
        kind = KINDS.get(found.collection, "") if found.collection else default
        if not kind:
            raise InvalidRecord(f"{text[:120]!r} names something of {found.collection!r}, which is not read")
        basis: Basis = "name"
        if found.collection == "jobs":
            basis = "containment" if found.path else "identifier"
        elif found.version and found.version != "latest":
            basis = "identifier" if any(found.scope) else "name_version"
        return Named(kind, self.ref(kind, found.name, scope, found.version, found.label), basis, found)
