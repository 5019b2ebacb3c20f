"""Views that are documents: each a function of one audit as plain JSON values. They compute nothing about lineage."""
