"""Every route of the API."""

from st2solo.api import (
    aliases,
    auth,
    executions,
    inquiries,
    keys,
    misc,
    packs,
    registered,
    rules,
    triggers,
)

ROUTES = [
    *misc.ROUTES,
    *auth.ROUTES,
    *executions.ROUTES,
    *inquiries.ROUTES,
    *packs.ROUTES,
    *registered.ROUTES,
    *aliases.ROUTES,
    *rules.ROUTES,
    *triggers.ROUTES,
    *keys.ROUTES,
]
