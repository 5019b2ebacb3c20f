"""Whether an MLflow server answers at an address: asked of addresses that may be anything."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request

import msgspec

from .replies import API


def answers_like_mlflow(address: str) -> bool:
    """Whether an MLflow server answers at an address, found out with two short calls and no mlflow import."""
    base = re.sub(r"(?<=://)[^/@]*@", "", address.rstrip("/"))
    status, body = _peek(f"{base}{API}/experiments/search?max_results=1")
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reply = None
    if status == 200:
        return (
            isinstance(reply, dict)
            and isinstance(reply.get("experiments", []), list)
            and set(reply)
            <= {
                "experiments",
                "next_page_token",
            }
        )
    if status in (401, 403):
        # A guarded server: its version page is open, or its error is in MLflow's words.
        _, version = _peek(f"{base}/version")
        return bool(re.fullmatch(rb"\d+\.\d+\.\d+\S*\s*", version)) or b"mlflow" in body.lower()
    return False


def _peek(url: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - http(s), as the user wrote it
    try:
        with urllib.request.urlopen(request, timeout=3) as reply:  # noqa: S310
            return reply.status, reply.read(1_000_000)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(10_000)
    except (OSError, http.client.HTTPException, ValueError):
        return 0, b""
