"""The raw files that the estate starts from.

Seeded, so that every demo has the same bytes, and made so that there is something to learn. No date
stands inside a file: an extract's content does not depend on the day the demo is built.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PATCH = 8  # pixels along a side
PLANTS = ("leipzig", "graz", "brno", "porto", "turin")


def _save(frame: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a fixed line end the bytes, and so every digest, would differ between systems.
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
    return path


def _logistic(score: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-score)))


def write_subscribers(folder: Path, seed: int, count: int) -> tuple[Path, Path, Path]:
    """Customers, their weekly use and their support tickets, as a CRM and two event logs would export.

    Returns
    -------
    tuple of Path
        ``customers.csv``, ``usage.csv`` and ``tickets.csv``.
    """
    rng = np.random.default_rng(seed)
    ids = np.arange(100_000, 100_000 + count)
    tenure = rng.gamma(2.0, 14.0, count).round().astype(int)
    contract = rng.choice(["monthly", "yearly", "two-year"], count, p=[0.55, 0.3, 0.15])
    plan = rng.choice(["basic", "plus", "max"], count, p=[0.5, 0.35, 0.15])
    fee = np.select([plan == "basic", plan == "plus"], [19.0, 34.0], 59.0) + rng.normal(0, 2, count)
    decline = rng.normal(0, 1, count)  # a falling use is what a leaving customer looks like
    complaints = rng.poisson(np.exp(0.35 * rng.normal(0, 1, count) - 0.4))
    score = (
        -2.3
        + 1.9 * decline
        + 0.75 * complaints
        + np.select([contract == "monthly", contract == "yearly"], [1.1, -0.3], -1.4)
        - 0.02 * tenure
        + 0.01 * fee
    )
    customers = pd.DataFrame(
        {
            "customer_id": ids,
            "tenure_months": tenure,
            "contract": contract,
            "plan": plan,
            "monthly_fee": fee.round(2),
            "left_within_60_days": (rng.random(count) < _logistic(score)).astype(int),
        }
    )
    # Some exports carry customers without a plan; preparation has to notice.
    customers.loc[rng.random(count) < 0.01, "monthly_fee"] = np.nan
    weeks = np.arange(1, 9)
    level = rng.gamma(3.0, 4.0, count)[:, None]
    hours = level * np.exp(-0.07 * decline[:, None] * weeks) * rng.lognormal(0, 0.15, (count, len(weeks)))
    usage = pd.DataFrame(
        {
            "customer_id": np.repeat(ids, len(weeks)),
            "week": np.tile(weeks, count),
            "hours": hours.ravel().round(3),
        }
    )
    owners = np.repeat(ids, complaints)
    tickets = pd.DataFrame(
        {
            "ticket_id": np.arange(len(owners)) + 1,
            "customer_id": owners,
            "severity": rng.choice(["low", "normal", "high"], len(owners), p=[0.5, 0.35, 0.15]),
        }
    )
    return (
        _save(customers, folder / "customers.csv"),
        _save(usage, folder / "usage.csv"),
        _save(tickets, folder / "tickets.csv"),
    )


def write_applications(path: Path, seed: int, count: int) -> Path:
    """Loan applications with what became of them."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(10.4, 0.45, count)
    amount = income * rng.uniform(0.1, 1.2, count)
    late = rng.poisson(0.5, count)
    years = rng.gamma(2.0, 3.0, count)
    score = -2.2 + 2.6 * (amount / income - 0.5) + 0.9 * late - 0.12 * years
    frame = pd.DataFrame(
        {
            "income": income.round(),
            "amount": amount.round(),
            "late_payments": late,
            "years_employed": years.round(1),
            "defaulted": (rng.random(count) < _logistic(score)).astype(int),
        }
    )
    return _save(frame, path)


def write_patches(folder: Path, seed: int, count: int, *, missed: float = 0.0) -> tuple[Path, Path]:
    """Camera patches of a surface, and labels; a scratch is a faint bright line.

    Parameters
    ----------
    folder : Path
        Where ``patches.csv`` and ``labels.csv`` go.
    seed, count : int
        The random seed and how many patches.
    missed : float
        The share of scratches, faintest first, that the labels call good.

    Returns
    -------
    tuple of Path
        The patches and the labels.
    """
    rng = np.random.default_rng(seed)
    images = rng.normal(100, 6, (count, PATCH, PATCH)) + rng.normal(0, 8, (count, 1, 1))
    scratched = rng.random(count) < 0.35
    strength = rng.uniform(6, 30, count)
    lines = rng.integers(0, PATCH, count)
    upright = rng.random(count) < 0.5
    for index in np.flatnonzero(scratched):
        if upright[index]:
            images[index, :, lines[index]] += strength[index]
        else:
            images[index, lines[index], :] += strength[index]
    labelled = scratched & (strength >= np.quantile(strength[scratched], missed))
    ids = [f"{PLANTS[index % len(PLANTS)]}-{index:05d}" for index in range(count)]
    pixels = pd.DataFrame(
        images.reshape(count, -1).round().astype(int),
        columns=[f"p{row}{column}" for row in range(PATCH) for column in range(PATCH)],
    )
    return (
        _save(pd.concat([pd.Series(ids, name="patch_id"), pixels], axis=1), folder / "patches.csv"),
        _save(pd.DataFrame({"patch_id": ids, "scratched": labelled.astype(int)}), folder / "labels.csv"),
    )
