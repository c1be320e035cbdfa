"""Who may do what: policies, scopes, and the guard that every guarded action asks.

In: `security.*` entries, the context of a call. Out: an action may go on, or PermissionDeniedError and a line of the
audit.

    globs         patterns of actions and resources
    regex         regular expressions that take linear time
    request       what is asked, and the fields of it that conditions name
    operators     what conditions compare with
    conditions    one condition of a policy
    expressions   the expression of one
    policy        one policy, and what it says of a request
    scope         policies together: any deny wins, else any allow
    policies      all policies of an app, by id and by group
    tokens        texts that stand for an actor and a scope
    identity      whom the code of an entry acts as
    guard         the question itself
    given         the question of what guests are given
    audit         a line for each denial
    security      all of it, for one app

Spec: SPEC section 10.
"""

from wippywasm.app.security.given import check_given
from wippywasm.app.security.guard import Guard
from wippywasm.app.security.policies import Policies
from wippywasm.app.security.policy import Policy, Verdict
from wippywasm.app.security.scope import Scope
from wippywasm.app.security.security import Security

__all__ = ["Guard", "Policies", "Policy", "Scope", "Security", "Verdict", "check_given"]
