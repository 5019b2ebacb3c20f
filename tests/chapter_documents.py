"""Documents of every chapter made by hand, small and whole, with one stranger's text wherever a record's text stands."""

from __future__ import annotations

from typing import Any

from lineage_explorer.records import digest_of

MARCH, MAY, JUNE = "2026-03-01T00:00:00Z", "2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"
DIGEST = "sha256:" + "ab" * 32
HOSTILE = (
    "x\x00\x1b[31m</script></td><img src=x onerror=alert(1)>&\"'\u202e]]> | `a` [here](https://evil.example) "
    "\n# heading\n=1+1 {{7*7}} @team"
)


def finished(kind: str, **content: Any) -> dict[str, Any]:
    whole = {
        "format": f"lineage-explorer/{kind}",
        "format_version": 1,
        "tool": {"name": "lineage-explorer", "version": "0.1.0"},
        **content,
    }
    return {**whole, "digest": digest_of(whole)}


def share(text: str, **more: Any) -> dict[str, Any]:
    return {
        "deployment": f"deployment:churn:{text}",
        "model": "model:churn~champion",
        "version": "model:churn@2",
        "traffic": 90.0,
        "state": "serving",
        "site": text,
        "environment": "production",
        **more,
    }


def gate(text: str, subject: str = "model:churn@2") -> dict[str, Any]:
    return {
        "subject": subject,
        "gate": text,
        "gate_type": "evaluation",
        "status": "passed",
        "grade": "recomputed",
        "expected": text,
        "actual": text,
        "evaluator": f"person:{text}",
        "event_time": MARCH,
        "pointer": text,
    }


def spans(text: str) -> list[dict[str, Any]]:
    finding = {"code": "no-deployment", "site": text, "message": f"nothing is deployed at {text}"}
    return [
        {"since": None, "until": MARCH, "between_syncs": False, "kind": "unknown", "shares": [], "findings": []},
        {"since": MARCH, "until": MAY, "between_syncs": False, "kind": "gap", "shares": [], "findings": [finding]},
        {
            "since": MAY,
            "until": None,
            "between_syncs": True,
            "kind": "served",
            "shares": [share(text), share(text, version=None, model=None, traffic=None, state="undetermined")],
            "findings": [],
        },
    ]


def serving(text: str = "a") -> dict[str, Any]:
    question = {"endpoint": f"endpoint:churn-{text}", "since": None, "until": None, "known_at": JUNE}
    return finished("serving", question=question, spans=spans(text))


def version(text: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "ref": f"model:churn@{number}",
        "kind": "model",
        "version": str(number),
        "label": f"churn v{number}",
        "description": text,
        "registered": MARCH,
        "here": True,
        "gone_at": None,
        "stages": [{"stage": text, "since": MARCH, "until": None, "earliest": MARCH, "because": text}],
        "serving": [],
        "gates": [gate(text, f"model:churn@{number}")],
        "params": {"depth": "6", text: text},
        "metrics": {"auc": 0.8 + number / 100, text: -0.5},
        "data": [
            {
                "ref": f"dataset:customers@{number}",
                "role": "training",
                "how": "read by the run",
                "digest": DIGEST,
                "identified_by": "content_hash",
                "rows": 1200,
            }
        ],
        "code": [{"ref": f"code:repo@{number}", "commit": f"{number:040}", "dirty": None, "link": text}],
        "packages": {"scikit-learn": "1.5.0", text: text},
        "ingredients": [{"ref": f"prompt:{text}@1", "kind": "prompt", "label": text, "fact": text}],
        "runs": [f"run:train-{number}-{text}"],
        "parents": [{"ref": "model:base@7", "how": "fine-tuning"}],
        **more,
    }


def history(text: str = "a", versions: int = 2) -> dict[str, Any]:
    served = {"endpoint": "endpoint:churn", "since": MAY, "until": None, "between_syncs": True, **share(text)}
    made = [version(text, number + 1) for number in range(versions)]
    made[-1]["serving"] = [served]
    made[0] |= {"here": False, "gone_at": MAY}
    event = {
        "at": MAY,
        "earliest": MARCH,
        "kind": "rolled_back",
        "ref": "model:churn@1",
        "endpoint": "endpoint:churn",
        "who": f"person:{text}",
        "text": text,
        "source": {"system": text, "position": text},
    }
    return finished(
        "history",
        question={"ref": "model:churn", "as_of": JUNE, "known_at": JUNE},
        complete=False,
        versions=made,
        lanes=[{"endpoint": "endpoint:churn", "site": text, "environment": "production", "spans": spans(text)}],
        events=[event, {**event, "at": None, "earliest": None, "source": None, "kind": "registered"}],
        tree={
            "nodes": [
                {"ref": "model:base@7", "kind": "base_model", "label": text},
                *({"ref": one["ref"], "kind": "model", "label": text} for one in made),
                {"ref": f"model:tuned-{text}@1", "kind": "model", "label": text},
            ],
            "links": [{"parent": "model:base@7", "child": one["ref"], "how": "fine-tuning"} for one in made],
        },
    )


def audit(text: str, endpoint: str) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "name": text,
        "version": "1",
        "digest": DIGEST,
        "form": "verdict",
        "judged_as_of": None,
        "applied": [],
    }
    return {
        "tool": {"name": "lineage-explorer", "version": "0.1.0"},
        "question": {"endpoint": endpoint, "as_of": JUNE, "known_at": JUNE, "policy": policy},
        "verdict": "INCOMPLETE",
        "answer": f"It is served by {text}.",
        "serving": [],
        "nodes": [],
        "hops": [],
        "evidence": [],
        "datasets": [],
        "findings": [],
        "digest": DIGEST,
    }


def difference(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"d{number}",
        "aspect": "parameter",
        "subject": "parameters of churn",
        "name": "depth",
        "change": "changed",
        "a": "6",
        "b": "8",
        "delta": 2.0,
        "better": None,
        "a_ref": "run:a",
        "b_ref": "run:b",
        "text": None,
        "note": "",
        **more,
    }


def comparison(text: str = "a") -> dict[str, Any]:
    lines = [{"op": " ", "line": "You help."}, {"op": "-", "line": f"  {text}"}, {"op": "+", "line": "```` be kind"}]
    return finished(
        "comparison",
        a={"title": f"model:churn@1 {text}", "asked": "model:churn@1@@" + JUNE, "audit": audit(text, "model:churn@1")},
        b={"title": f"model:churn@2 {text}", "asked": "model:churn@2@@" + JUNE, "audit": audit(text, "model:churn@2")},
        same=False,
        summary=[f"They differ in {text}."],
        differences=[
            difference(1, name=text, subject=text, note=text),
            difference(2, aspect="schema", change="added", a=None, b={"name": text, "type": "double"}, a_ref=None),
            difference(3, aspect="prompt", a=text, b="other", text=lines, a_ref="prompt:p@1", b_ref="prompt:p@2"),
            difference(4, aspect="requirement", name="owned", a="passed", b="missing", better=False),
            difference(5, aspect="metric", name="auc", a=0.8, b=0.78, delta=-0.02, better=False),
        ],
        pairs=[{"a": "dataset:customers@1", "b": f"dataset:customers-{text}@2", "changed": True}],
        only_a=[f"feature_set:{text}@1"],
        only_b=["feature_set:b@1"],
    )


def likeness(text: str = "a") -> dict[str, Any]:
    row = {
        "endpoint": "endpoint:plants",
        "site": text,
        "as_of": JUNE,
        "group": 1,
        "models": ["model:defects@3"],
        "data": [f"dataset:{text}@1", "dataset:images@2"],
        "code": ["code:repo@1"],
        "verdict": "PASSED",
        "note": text,
    }
    other = {**row, "site": "brno", "group": 2, "models": ["model:defects@2"], "verdict": None, "note": ""}
    return finished("likeness", rows=[row, {**row, "site": "turin"}, other])


def impact(text: str = "a") -> dict[str, Any]:
    exposure = {
        "since": MAY,
        "until": None,
        "deployment": f"deployment:churn:{text}",
        "version": "model:churn@2",
        "traffic": 90.0,
        "state": "serving",
        "site": text,
        "environment": "production",
        "roles": ["training"],
        "strength": "content_hash",
        "between_syncs": True,
    }
    reached = {
        "ref": "model:churn@2",
        "kind": "model",
        "label": text,
        "roles": ["training", "role not recorded"],
        "strength": "name_version",
        "path": ["dataset:customers@12", f"run:train-{text}", "model:churn@2"],
        "registered": MARCH,
        "here": None,
        "endpoints": ["endpoint:churn"],
        "first_served": MAY,
        "last_served": None,
        "retrain": "yes",
        "why": text,
    }
    return finished(
        "impact",
        question={"ref": "customers@12", "as_of": JUNE, "known_at": JUNE},
        root="dataset:customers@12",
        summary=[f"dataset:customers@12 reached 2 versions, {text}."],
        counts={"model": 2, "logged_model": 1},
        versions=[
            reached,
            {
                **reached,
                "ref": "model:churn@3",
                "retrain": "no",
                "first_served": None,
                "endpoints": [],
                "why": "only evaluated",
            },
        ],
        endpoints=[
            {
                "ref": "endpoint:churn",
                "now": True,
                "traffic_now": None,
                "roles": ["training"],
                "strength": "content_hash",
                "retrain": "maybe",
                "why": text,
                "first": MAY,
                "last": None,
                "exposures": [exposure],
            }
        ],
        evaluations=[
            {
                "run": f"run:eval-{text}",
                "label": text,
                "data": ["dataset:customers@12"],
                "models": ["model:churn@2"],
                "gates": [gate(text)],
                "why": text,
            }
        ],
        derived=[{"ref": f"feature_set:{text}@4", "kind": "feature_set", "label": text, "strength": "identifier"}],
        beyond={"versions": 7, "endpoints": 0, "evaluations": 0, "derived": 0},
        findings=[{"severity": "warning", "code": "weak", "ref": f"run:train-{text}", "message": text}],
    )


def rollback(text: str = "a", **more: Any) -> dict[str, Any]:
    policy: dict[str, Any] = {
        "name": text,
        "version": "1",
        "digest": DIGEST,
        "form": "verdict",
        "judged_as_of": None,
        "applied": [],
    }
    candidate = {
        "ref": "model:churn@1",
        "deployment": f"deployment:churn:{text}",
        "site": text,
        "served_since": MARCH,
        "served_until": MAY,
        "here": True,
        "verdict": "PASSED",
        "why": text,
        "audit_digest": DIGEST,
    }
    content = {
        "question": {"endpoint": "endpoint:churn", "as_of": JUNE, "known_at": JUNE, "policy": policy},
        "serving": [share(text)],
        "target": "model:churn@1",
        "candidates": [candidate, {**candidate, "ref": "model:churn@0", "here": False, "verdict": "FAILED"}],
        "why": f"model:churn@1 served before. {text}",
        **more,
    }
    return finished("rollback", **content)


ALL = {
    "history": history,
    "comparison": comparison,
    "likeness": likeness,
    "impact": impact,
    "rollback": rollback,
    "serving": serving,
}
