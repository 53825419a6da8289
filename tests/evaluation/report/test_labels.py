"""Labels in charts do not cover each other."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.evaluation.report.page.labels import (
    Box,
    LabelSpace,
    around,
    at,
    shortened,
    spread,
    width,
)

AREA = Box(0, 0, 400, 240)
points = st.tuples(st.floats(0, 400), st.floats(0, 240))
series = st.lists(st.tuples(st.text("abcde-", min_size=1, max_size=20), points), max_size=8)


@given(series, st.lists(points, max_size=20))
def test_no_label_covers_a_label_or_a_point(named, dots):
    """Labels are within the area, and cover neither points nor other labels."""
    space = LabelSpace(area=AREA, taken=[around(dot, 4) for dot in dots])
    blocked = [*space.taken]

    labels = [space.place(text, [point]) for text, point in named]

    boxes = [label.box for label in labels if label is not None]
    assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]
    assert not [1 for box in boxes for other in blocked if box.overlaps(other)]
    assert all(AREA.contains(box) for box in boxes)


def test_a_label_is_next_to_its_point():
    """In an empty chart, a label is to the right of its point, without a line to it."""
    label = LabelSpace(area=AREA).place("minilm", [(100, 100)])

    assert (label.x, label.anchor, label.leader) == (108, "start", None)
    assert abs(label.y - 104) < 1


def test_a_label_at_the_right_end_is_to_the_left():
    """If there is no space to the right, the label is to the left of its point."""
    assert LabelSpace(area=AREA).place("minilm", [(395, 100)]).anchor == "end"


def test_a_label_avoids_lines_if_it_can():
    """A label is above or below a horizontal line through its point."""
    space = LabelSpace(area=AREA)
    space.add_line([(0, 100), (400, 100)])

    assert space.place("minilm", [(100, 100)]).anchor == "middle"


def test_a_label_far_from_its_point_has_a_line_to_it():
    """If there is no space near the point, the label is further away, with a line."""
    space = LabelSpace(area=AREA, taken=[around((100, 100), 20)])

    assert space.place("minilm", [(100, 100)]).leader == (100, 100)


def test_there_may_be_no_space_for_a_label():
    """A label that fits nowhere is left out."""
    assert LabelSpace(area=Box(0, 0, 10, 10)).place("minilm", [(5, 5)]) is None


def test_a_wide_character_needs_twice_the_width():
    """Chinese characters are about as wide as high."""
    assert width("東京") > 1.5 * width("ab")


def test_a_label_can_begin_or_end_at_its_point():
    """The box of a label is to the right of its point, around it, or to the left."""
    boxes = [at((100, 50), "minilm", anchor).box for anchor in ("start", "middle", "end")]

    assert boxes[0].left < 100 < boxes[0].right
    assert abs((boxes[1].left + boxes[1].right) / 2 - 100) < 1
    assert boxes[2].left < 100 <= boxes[2].right < 102


def test_a_long_text_is_shortened():
    """A text that is too long ends with an ellipsis."""
    assert shortened("rerank-v3.5", 11) == "rerank-v3.5"
    assert shortened("rerank-v3.5-fast", 11) == "rerank-v3.…"


@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_names_in_a_margin_have_space_between_them(positions):
    """Positions keep their order and have the distance."""
    moved = spread(positions, distance=14, low=0, high=200)
    ordered = [moved[index] for index in sorted(range(len(positions)), key=positions.__getitem__)]

    assert all(upper - lower >= 13.999 for lower, upper in pairwise(ordered))
    assert min(moved) >= -0.001
    assert max(moved) <= 200.001
