"""What stands behind the question mark of an address: what nothing reads is refused and not ignored."""

from fastapi import Request
from fastapi.routing import APIRoute

from pixelmend.core.errors import InvalidParameter


def known_query(request: Request) -> None:
    """For routers, as a dependency. Raises InvalidParameter naming the parameter and those there are."""
    route = request.scope.get("route")
    known = [field.alias for field in route.dependant.query_params] if isinstance(route, APIRoute) else []
    for name in request.query_params:
        if name not in known:
            there_are = f"there are: {', '.join(known)}" if known else "this address takes none"
            raise InvalidParameter(f"the query parameter {name[:64]!r} is not known; {there_are}")
