"""The journal as a Merkle log: what a leaf is, how the tree grows, and what a tree head says.

Leaves and nodes are hashed as RFC 9162 § 2.1 writes it: SHA-256 over ``0x00`` and the leaf, over ``0x01`` and
two nodes. The leaf of an entry is its canonical JSON (RFC 8785): what happened, in which sync, when, where,
and the digest of the record. A record itself is committed to through its digest, so that it could be removed
(a data-protection request) and the tree still be checked.
"""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import NamedTuple

import msgspec

from ..errors import InvalidTreeHead

#: The root of a tree without leaves (RFC 9162 § 2.1.1).
EMPTY = hashlib.sha256(b"").digest()


class Kind(IntEnum):
    """What an entry of the journal says."""

    #: A sync began; its body says which source, who, and with which version.
    BEGIN = 0
    #: A record was seen, and it was new or different.
    SEEN = 1
    #: A record was seen as entry ``of`` has it: at a later time of its own, or in another source.
    AGAIN = 2
    #: What entry ``of`` holds is no longer in its source.
    GONE = 3
    #: Something was read that cannot be a record.
    REJECTED = 4
    #: A sync ended; its body holds the counts and the tree's root before this entry.
    END = 5


class Entry(NamedTuple):
    """One entry, as the journal holds it.

    Attributes
    ----------
    seq : int
        Its number, from 1, without gaps: leaf ``seq - 1`` of the tree.
    part : str
        The part of the source that it belongs to.
    of : int or None
        For ``AGAIN`` and ``GONE``: the entry that is meant.
    digest : bytes
        SHA-256 of the body's text (for ``AGAIN`` and ``GONE``: of the body of ``of``).
    """

    seq: int
    kind: int
    sync: int
    part: str
    recorded_at: int
    observed_at: int
    of: int | None
    digest: bytes
    position: str


class _Leaf(msgspec.Struct, omit_defaults=True):
    # In the order of RFC 8785, which sorts by name: the encoder keeps the order of the fields.
    digest: str
    kind: str
    observed_at: int
    part: str
    position: str
    recorded_at: int
    seq: int
    sync: int


class _LeafOf(msgspec.Struct):
    digest: str
    kind: str
    observed_at: int
    of: int
    part: str
    position: str
    recorded_at: int
    seq: int
    sync: int


_encode = msgspec.json.Encoder().encode
_NAMES = {kind.value: kind.name.lower() for kind in Kind}


def leaf_text(entry: Entry) -> bytes:
    """The canonical JSON of an entry: what its leaf is the hash of.

    Examples
    --------
    >>> leaf_text(Entry(1, Kind.SEEN, 1, "", 7, 7, None, bytes(32), "x.jsonl:1"))[77:]
    b'"kind":"seen","observed_at":7,"part":"","position":"x.jsonl:1","recorded_at":7,"seq":1,"sync":1}'
    """
    seq, kind, sync, part, recorded_at, observed_at, of, digest, position = entry
    # A number that is none of ours (a tampered file) still has a text, and it differs from every true one.
    name = _NAMES.get(kind, str(kind))
    if of is None:
        return _encode(_Leaf(digest.hex(), name, observed_at, part, position, recorded_at, seq, sync))
    return _encode(_LeafOf(digest.hex(), name, observed_at, of, part, position, recorded_at, seq, sync))


class TreeHead(NamedTuple):
    """How long the log was and what its Merkle root was then: enough to prove later that it only grew.

    Its text is ``size:root`` with the root in hexadecimal digits.

    Examples
    --------
    >>> str(TreeHead(0, EMPTY))[:18]
    '0:e3b0c44298fc1c14'
    >>> TreeHead.parse(str(TreeHead(0, EMPTY))).size
    0
    """

    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.size}:{self.root.hex()}"

    @classmethod
    def parse(cls, text: str) -> TreeHead:
        """Read the text form; the inverse of ``str(head)``.

        Raises
        ------
        InvalidTreeHead
            When the text is something else.
        """
        size, colon, root = text.strip().partition(":")
        try:
            digest = bytes.fromhex(root)
            if not (colon and size.isascii() and size.isdecimal() and len(digest) == len(EMPTY)):
                raise ValueError
        except ValueError as error:
            raise InvalidTreeHead(
                f"{text.strip()[:80]!r} is not a tree head; it is written size:root with 64 hexadecimal digits, as "
                "`lineage-explorer checkpoint STORE` prints it"
            ) from error
        return cls(int(size), digest)


class Tree:
    """A growing Merkle tree that keeps only the roots of its complete parts (at most 64 hashes).

    Examples
    --------
    >>> tree = Tree()
    >>> tree.add(b"a"); tree.add(b"b"); tree.add(b"c")
    >>> tree.head().size
    3
    """

    def __init__(self, size: int = 0, peaks: bytes = b"") -> None:
        self.size = size
        self._peaks = [peaks[start : start + 32] for start in range(0, len(peaks), 32)]

    @property
    def peaks(self) -> bytes:
        """What :class:`Tree` needs to go on from here, beside the size."""
        return b"".join(self._peaks)

    def add(self, text: bytes) -> None:
        """Append one leaf."""
        node = hashlib.sha256(b"\x00" + text).digest()
        peaks, size = self._peaks, self.size
        while size & 1:  # each set bit of the size is one complete part
            node = hashlib.sha256(b"\x01" + peaks.pop() + node).digest()
            size >>= 1
        peaks.append(node)
        self.size += 1

    def head(self) -> TreeHead:
        """The tree head of what was added so far."""
        if not self._peaks:
            return TreeHead(0, EMPTY)
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = hashlib.sha256(b"\x01" + peak + root).digest()
        return TreeHead(self.size, root)
