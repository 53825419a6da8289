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
