"""The served names of the latest responses for each slug, which one client has seen. Pure."""

from collections.abc import Hashable, Mapping, Sequence

REMEMBERED_NAMES = 32
"""
Names for each slug. After a provider has changed its model, 32 responses replace the old name. With
a smaller number, a rarely used provider would be forgotten between its responses.
"""
MOST_ROUTES = 128
"""Slugs, each with other provider preferences. Those that were not used for longest are removed."""


class RecentNames:
    """
    The served names of the latest responses of one client.

    A route is everything that decides which providers may serve a request: the URL, the slug and
    the user's fields of the body. Threads and tasks may share one object.
    """

    def __init__(self) -> None:
        self._names: Mapping[Hashable, tuple[str | None, ...]] = {}

    def of(self, route: Hashable) -> tuple[str | None, ...]:
        """Return the names for `route`, the oldest first."""
        return self._names.get(route, ())

    def add(self, route: Hashable, names: Sequence[str | None]) -> None:
        """Add the names of new responses for `route`, the oldest first."""
        if not names:
            return
        # Each time a new mapping, so that threads need no lock. If two of them write at the same
        # time, the names of one may be lost, which does no harm.
        others = [(key, value) for key, value in self._names.items() if key != route]
        newest = (*self.of(route), *names)[-REMEMBERED_NAMES:]
        self._names = dict([*others[1 - MOST_ROUTES :], (route, newest)])
