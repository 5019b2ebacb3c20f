"""Policy as code: what each hop must show, and what can be said of it: holds, fails, cannot be determined.

Nothing here reads a store, a clock or a network. docs/policies.md states the semantics; tests hold the two together
with an evaluator that was written from that page alone.
"""

from .conditions import Change as Change
from .conditions import change_between as change_between
from .facts import Condition as Condition
from .facts import Facts as Facts
from .facts import Interval as Interval
from .facts import Life as Life
from .facts import Share as Share
from .facts import Span as Span
from .format import Policy as Policy
from .format import PolicyVersion as PolicyVersion
from .format import Requirement as Requirement
from .format import Waiver as Waiver
from .hop import EvidenceBySubject as EvidenceBySubject
from .hop import base_of as base_of
from .judging import Judge as Judge
from .judging import Judgement as Judgement
from .logic import Outcome as Outcome
from .logic import Verdict as Verdict
from .logic import conjunction as conjunction
from .logic import verdict_of as verdict_of
from .reading import load_policy as load_policy
from .reading import parse_policy as parse_policy
from .reading import read_policy as read_policy
from .reading import shipped_policies as shipped_policies
