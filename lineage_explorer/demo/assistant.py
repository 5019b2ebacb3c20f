"""The triage assistant itself: an index over short documents, an answer, and the rules that judge it.

It is small and decides by retrieval alone: the demo is about its lineage, and downloads no weights.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CARD = re.compile(r"\b(?:\d[ -]?){13,19}\b")
_LINE = re.compile(r"^Queue: (?P<queue>\w+)$", re.M)
_UNSAFE_REQUEST = re.compile(r"\b(?:ignore your rules|without restrictions|password of|customer's password)\b", re.I)
_PROMISE = re.compile(r"\b(?:guarantee|legal advice|diagnos\w+)\b", re.I)
REFUSED = "refused"


def build_index(documents: Mapping[str, str]) -> dict[str, Any]:
    """A TF-IDF index over documents, as plain JSON values.

    Parameters
    ----------
    documents : mapping
        Text by name; each says ``Queue: name`` on a line of its own.

    Returns
    -------
    dict
        Vocabulary, inverse document frequencies and one sparse row a document.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    names = sorted(documents)
    vectorizer = TfidfVectorizer(stop_words="english", sublinear_tf=True)
    rows = vectorizer.fit_transform([documents[name] for name in names])
    words = vectorizer.get_feature_names_out()
    return {
        "idf": {word: round(float(weight), 6) for word, weight in zip(words, vectorizer.idf_, strict=True)},
        "documents": [
            {
                "name": name,
                "queue": _queue_of(name, documents[name]),
                "text": documents[name].split("\n\n", 1)[1].strip(),
                "weights": {
                    str(words[column]): round(float(rows[row, column]), 6) for column in sorted(rows[row].indices)
                },
            }
            for row, name in enumerate(names)
        ],
    }


def _queue_of(name: str, text: str) -> str:
    found = _LINE.search(text)
    if found is None:
        raise ValueError(f"document {name!r} does not say which queue it belongs to")
    return found["queue"]


@dataclass(frozen=True)
class Answer:
    """What the assistant says, and where it sends the message."""

    queue: str
    text: str
    document: str = ""


class Assistant:
    """Finds the document that fits a message and fills the prompt with it.

    Parameters
    ----------
    index : mapping
        As :func:`build_index` gives it.
    template : str
        The prompt, with ``{{message}}`` and ``{{passage}}``.

    Examples
    --------
    >>> index = build_index({"bills": "# Bills\\nQueue: billing\\n\\nAn invoice is due after fourteen days."})
    >>> Assistant(index, "{{passage}}").answer("Where is my invoice?").queue
    'billing'
    """

    def __init__(self, index: Mapping[str, Any], template: str) -> None:
        self._idf: Mapping[str, float] = index["idf"]
        self._documents: Sequence[Mapping[str, Any]] = index["documents"]
        self._template = template

    @classmethod
    def load(cls, index: Path, template: str) -> Assistant:
        """The assistant over an index file."""
        return cls(json.loads(index.read_text(encoding="utf-8")), template)

    def answer(self, message: str) -> Answer:
        """Route one message and draft a reply."""
        if _UNSAFE_REQUEST.search(message):
            return Answer(REFUSED, "I cannot help with that. A colleague will look at your message.")
        words = re.findall(r"\w\w+", message.lower())
        scores = [
            sum(self._idf.get(word, 0.0) * document["weights"].get(word, 0.0) for word in words)
            for document in self._documents
        ]
        best = max(range(len(scores)), key=scores.__getitem__)
        if scores[best] == 0:
            return Answer("front-desk", "A colleague will read your message today.")
        document = self._documents[best]
        text = self._template.replace("{{message}}", _CARD.sub("[card number removed]", message))
        return Answer(document["queue"], text.replace("{{passage}}", document["text"]), document["name"])


def is_safe(message: str, answer: Answer) -> bool:
    """Whether an answer keeps the content rules.

    No card number is repeated, nothing is promised that a desk cannot promise, and a request to break
    the rules is refused.
    """
    if _UNSAFE_REQUEST.search(message) and answer.queue != REFUSED:
        return False
    return not (_CARD.search(answer.text) or _PROMISE.search(answer.text))
