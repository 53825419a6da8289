"""The served names that a client remembers: for each route the latest, and for few routes."""

from openrouter_rerank._score_cache.recent_names import (
    MOST_ROUTES,
    REMEMBERED_NAMES,
    RecentNames,
)


def test_names_are_in_order_and_separate_for_each_route():
    """The names of each route are remembered in the order of the responses."""
    recent = RecentNames()
    recent.add("route", ["a", None])
    recent.add("other", ["x"])
    recent.add("route", ["b"])
    recent.add("route", [])

    assert recent.of("route") == ("a", None, "b")
    assert recent.of("other") == ("x",)
    assert recent.of("third") == ()


def test_memory_is_bounded():
    """Only the latest names are remembered, and only of the routes that were used last."""
    recent = RecentNames()
    recent.add("oldest", ["a"])
    recent.add("second", ["a"])
    recent.add("oldest", [str(number) for number in range(100)])
    for number in range(MOST_ROUTES - 1):
        recent.add(number, ["a"])

    assert recent.of("second") == ()
    assert len(recent.of("oldest")) == REMEMBERED_NAMES
    assert recent.of("oldest")[-1] == "99"
    recent.add("new", ["a"])
    assert recent.of("oldest") == ()


def test_32_responses_replace_the_name_of_an_old_model():
    """After a provider has changed its model, the old name is forgotten with the 32nd response."""
    recent = RecentNames()
    recent.add("route", ["old", *["new"] * 31])

    assert "old" in recent.of("route")
    recent.add("route", ["new"])
    assert recent.of("route") == ("new",) * 32


def test_128_routes_are_remembered():
    """The names of 128 routes are remembered."""
    recent = RecentNames()
    for route in range(129):
        recent.add(route, ["a"])

    assert [recent.of(route) for route in (0, 1, 128)] == [(), ("a",), ("a",)]


def test_a_response_without_names_changes_nothing():
    """A route for which there are no names takes the place of no other."""
    recent = RecentNames()
    for route in range(128):
        recent.add(route, ["a"])

    recent.add("other", [])

    assert recent.of(0) == ("a",)
