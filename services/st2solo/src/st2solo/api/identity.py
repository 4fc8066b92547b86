"""Who makes a call."""

from collections.abc import Mapping

from st2solo.auth import Identity
from st2solo.errors import UnauthorizedError
from st2solo.services import Services


def identity_of(
    services: Services, headers: Mapping[str, str], query: Mapping[str, str]
) -> Identity:
    """Who calls, by token or API key, in a header or (as the stream's clients do) in the query.

    Raises:
        UnauthorizedError: nobody, or nobody known.
    """
    token = headers.get("X-Auth-Token") or query.get("x-auth-token")
    if token:
        return services.tokens.identity(token)
    key = headers.get("St2-Api-Key") or query.get("st2-api-key")
    if key:
        return services.api_keys.identity(key)
    raise UnauthorizedError(
        "Unauthorized - One of Token or API key required. (`st2 login` makes a token)"
    )
