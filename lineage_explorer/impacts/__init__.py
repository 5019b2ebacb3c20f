"""Whom something reached: the inverse of a trace, with the windows in which endpoints answered with it.

================  =================================================================================
``asking``        the question and its answer: :func:`impact`, :class:`Impact`
``reaching``      what was gathered, followed to the endpoints
``exposures``     sets of instants, spread along relations; the windows they come to
``retraining``    what follows for a version, and why
``tainting``      evaluations that rest on what was reached
``document``      all of it as rows, sentences and findings
================  =================================================================================
"""

from .asking import Impact, impact

__all__ = ["Impact", "impact"]
