"""Every route of the API."""

from st2solo.api import auth, executions, keys, misc, registered, rules, triggers

ROUTES = [
    *misc.ROUTES,
    *auth.ROUTES,
    *executions.ROUTES,
    *registered.ROUTES,
    *rules.ROUTES,
    *triggers.ROUTES,
    *keys.ROUTES,
]
