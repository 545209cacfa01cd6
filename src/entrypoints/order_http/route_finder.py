"""Finds the route of a path, without trying one after another."""

from collections.abc import Sequence

from starlette.convertors import StringConvertor
from starlette.routing import BaseRoute, Route

from order_http.resource import ExactRoute

Found = tuple[Route, dict[str, str]]
"""The route, and what the path says in the place of its parameters."""


class RouteFinder:
    """Finds what Starlette's router finds: the first route that fits.

    A path without parameters is looked up. Of those with some, only those are tried that have
    as many parts and the same last one. What is not found here, the router must be asked for.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._exact: dict[str, Route] = {}
        self._ending: dict[tuple[int, str], list[ExactRoute]] = {}
        self._open: dict[int, list[ExactRoute]] = {}
        known = [route for route in routes if _is_plain(route)]
        # One that fits more paths than it shows may stand before one that is looked up.
        if len(known) == len(routes):
            self._learn([route for route in known if isinstance(route, ExactRoute)])

    def find(self, path: str) -> Found | None:
        """None: the router must be asked."""
        exact = self._exact.get(path)
        if exact is not None:
            return exact, {}
        parts = path.count("/")
        ending = (parts, path[path.rfind("/") + 1 :])
        for route in self._ending.get(ending) or self._open.get(parts) or ():
            if match := route.path_regex.match(path):
                return route, match.groupdict()
        return None

    def _learn(self, routes: Sequence[ExactRoute]) -> None:
        for route in routes:
            if not route.param_convertors:
                first = next(each for each in routes if each.path_regex.match(route.path))
                if first is route:
                    self._exact[route.path] = route
        templates = [route for route in routes if route.param_convertors]
        for parts, last in {_ending_of(route) for route in templates}:
            alike = [route for route in templates if _ending_of(route)[0] == parts]
            if last is None:
                self._open[parts] = [route for route in alike if _ending_of(route)[1] is None]
            else:
                self._ending[parts, last] = [
                    route for route in alike if _ending_of(route)[1] in {None, last}
                ]


def _is_plain(route: BaseRoute) -> bool:
    """Whether each parameter stands for one part of the path at most."""
    return isinstance(route, ExactRoute) and all(
        type(convertor) is StringConvertor for convertor in route.param_convertors.values()
    )


def _ending_of(route: Route) -> tuple[int, str | None]:
    """How many parts its path has, and the last one; None if that is a parameter."""
    last = route.path[route.path.rfind("/") + 1 :]
    return route.path.count("/"), None if "{" in last else last
