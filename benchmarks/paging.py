"""``MlflowClient`` reading a whole estate page by page and keeping nothing: what reading by the client costs at least.

Run by ``ingest.py`` as ``python -m benchmarks.paging URI``, in a process of its own because MLflow keeps its
addresses in module globals; prints one JSON object.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

_PAGE = 1000


def _all(search: Callable[..., Any], **options: Any) -> list[Any]:
    found: list[Any] = []
    token = None
    while True:
        page = search(**options, page_token=token)
        found += page
        token = page.token
        if not token:
            return found


def main() -> None:
    """Page through everything that our own source asks for, deleted things too."""
    import mlflow
    from mlflow import MlflowClient
    from mlflow.entities import ViewType

    uri = sys.argv[1]
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)  # the connection and the client's own set-up are not paging
    begun = time.perf_counter()
    experiments = _all(client.search_experiments, view_type=ViewType.ALL, max_results=_PAGE)
    ids = [item.experiment_id for item in experiments]
    runs, models = [], []
    # Servers limit how many experiments one call may name.
    for start in range(0, len(ids), 200):
        some = ids[start : start + 200]
        runs += _all(client.search_runs, experiment_ids=some, run_view_type=ViewType.ALL, max_results=_PAGE)
        models += _all(client.search_logged_models, experiment_ids=some, max_results=500)
    registered = _all(client.search_registered_models, max_results=_PAGE)
    versions = _all(client.search_model_versions, max_results=_PAGE)
    seconds = time.perf_counter() - begun
    things = {
        "experiments": len(experiments),
        "runs": len(runs),
        "logged models": len(models),
        "registered models": len(registered),
        "versions": len(versions),
    }
    print(json.dumps({"seconds": seconds, "things": things}))


if __name__ == "__main__":
    main()
