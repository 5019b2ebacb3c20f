"""Tests of the server extension, against a real Jupyter server."""
