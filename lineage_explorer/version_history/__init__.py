"""The versions of a name, each with its life: what it was made of, who approved it, where it served and when.

=================  ===================================================================================
``histories``      the question and its answer: :func:`history`, :class:`History`
``rows``           everything on record about all versions, gathered at once
``facts``          parameters, metrics, code and packages, as records of several systems state them
``lanes``          who served when, by endpoint and site
``events``         what happened, in order, with the bounds of what is only known to lie between two syncs
``children``       what was made from the versions, across names
``tree``           parents and children in one tree
``tables``         the same as DataFrames and in words
=================  ===================================================================================
"""

from .histories import History, history

__all__ = ["History", "history"]
