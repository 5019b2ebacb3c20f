"""Two audits side by side, and which of several places run the same thing.

Pure reasoning over the content of audits, but for :mod:`~lineage_explorer.comparison.asking`, which asks a store for them.
"""

from .comparing import Comparison, compare
from .likeness import Likeness, alike

__all__ = ["Comparison", "Likeness", "alike", "compare"]
