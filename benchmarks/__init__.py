"""Measurements of lineage-explorer beside what else could do the same work; see README.md."""
