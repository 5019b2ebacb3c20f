"""Removing secrets from records before they are hashed and stored.

By the shape of a value and by exact names of keys, never by a substring of a name: ``max_tokens`` is
a parameter, ``token`` is a secret. The rules carry a version so that a digest can say which applied.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

#: Recorded with every sync.
RULES_VERSION = "2"
MARK = "[redacted]"

# Exact key names, compared in lower case with '-', '.' and '_' removed.
_KEYS = frozenset(
    [
        "password",
        "passwd",
        "pwd",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "accesstoken",
        "refreshtoken",
        "idtoken",
        "authtoken",
        "bearertoken",
        "clientsecret",
        "secretkey",
        "privatekey",
        "sastoken",
        "authorization",
        "connectionstring",
        "awssecretaccesskey",
        "awssessiontoken",
        "azureclientsecret",
        "accountkey",
        "sharedaccesssignature",
        "storageaccountkey",
        "databrickstoken",
        "hftoken",
        "githubtoken",
        "openaiapikey",
        "subscriptionkey",
        "primarykey",
        "secondarykey",
        "credentials",
        "passphrase",
    ]
)
_PARAMETER = (
    r"sig|signature|token|access_token|refresh_token|id_token|api_key|apikey|key|secret|client_secret|password|sslpassword|passwd|pwd"
    r"|x-amz-signature|x-amz-credential|x-amz-security-token|x-goog-signature|x-goog-credential|awsaccesskeyid|code"
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # user:password@ in a URI; the user name stays, it says who.
    (re.compile(r"(?<=://)([^\s/?#@:]*):[^\s/?#@]+@"), r"\1:" + MARK + "@"),
    # A secret query parameter of a URI.
    (re.compile(rf"([?&;](?:{_PARAMETER})=)[^&\s\"'#;]+", re.I), r"\1" + MARK),
    # Connection strings (Azure storage, ODBC).
    (
        re.compile(r"\b((?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd)\s*=\s*)[^;\s\"']+", re.I),
        r"\1" + MARK,
    ),
    # A key and its value in text that could not be read as JSON or YAML, such as a quarantined line.
    (
        re.compile(
            r"([\"'](?:password|passwd|pwd|secret|client_?secret|api_?key|access_?key|secret_?key|private_?key|account_?key"
            r"|(?:access_?|refresh_?|id_?|auth_?|sas_?)?token|connection_?string|passphrase)[\"']\s*:\s*[\"'])[^\"']+",
            re.I,
        ),
        r"\1" + MARK,
    ),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/-]{16,}=*", re.I), r"\1 " + MARK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), MARK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), MARK),
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), MARK),
    (
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,})"),
        MARK,
    ),
    (
        re.compile(
            r"\b(?:sk-(?:proj-|ant-)?[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}|dapi[0-9a-f]{32}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35})"
        ),
        MARK,
    ),
)
# Nothing above can match a text without one of these: most texts leave after one search.
_HINT = re.compile(
    r"://|[=&]|[\"']\s*:|-----|eyJ|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|sk-|hf_|dapi|xox|AIza|[Bb][Ee][Aa][Rr][Ee][Rr]|[Bb][Aa][Ss][Ii][Cc]"
)


def _harmless(text: str) -> bool:
    """Whether a text cannot hold a secret's shape, told by what is in it: most names leave here at once."""
    return not (
        "://" in text
        or "=" in text
        or "&" in text
        or '"' in text
        or "'" in text
        or " " in text
        or "-----" in text
        or "eyJ" in text
        or "AKIA" in text
        or "ASIA" in text
        or "gh" in text
        or "glpat-" in text
        or "sk-" in text
        or "hf_" in text
        or "dapi" in text
        or "xox" in text
        or "AIza" in text
    )


def redact_text(text: str) -> str:
    """The text with everything of a secret's shape replaced by ``[redacted]``.

    Examples
    --------
    >>> redact_text("https://store/blob.csv?sv=2024&sig=abc%2Fdef")
    'https://store/blob.csv?sv=2024&sig=[redacted]'
    """
    if (text.isascii() and text.isprintable() and _harmless(text)) or not _HINT.search(text):
        return text
    for pattern, replacement in _SHAPES:
        text = pattern.sub(replacement, text)
    return text


#: Names of the record format's own fields: none is a secret's, and none is looked at twice.
_TOLD = frozenset(
    [
        "type",
        "ref",
        "digest",
        "identified_by",
        "created_at",
        "ended_at",
        "description",
        "attributes",
        "activity",
        "status",
        "started_at",
        "effect",
        "predicate",
        "cause",
        "basis",
        "role",
        "traffic",
        "splits",
        "mirrored",
        "site",
        "slot",
        "event_time",
        "event_start",
        "valid_from",
        "valid_to",
        "overwrites",
        "complete",
        "subject",
        "gate",
        "gate_type",
        "grade",
        "expected",
        "actual",
        "evaluator",
        "pointer",
        "subject_digest",
    ]
)


@lru_cache(4096)  # a few hundred names make up all records of a system
def _is_secret_key(key: str) -> bool:
    return re.sub(r"[-._\s]", "", key).lower() in _KEYS


def redact(value: Any) -> Any:
    """Plain JSON values with secrets replaced, by key name and by shape.

    Raises
    ------
    TypeError
        For a key that is not text: JSON has none.

    Examples
    --------
    >>> redact({"max_tokens": 256, "api_key": "abc"})
    {'max_tokens': 256, 'api_key': '[redacted]'}
    """
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("a key that is not text")
        return {
            key if key in _TOLD else redact_text(key): MARK
            if key not in _TOLD
            and isinstance(item, (str, int, float))
            and not isinstance(item, bool)
            and _is_secret_key(key)
            and item != ""
            else redact(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redact(item) for item in value]
    return value
