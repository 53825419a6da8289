"""
The figures about attempts in docs/images.

Tests compare both with what the code of a call does.
"""

from itertools import pairwise
from typing import NamedTuple

from .svg import WIDTH, box, figure, line, rectangle, text


class Span(NamedTuple):
    """A part of the time of a call."""

    kind: str
    start: float
    """Seconds after the start of the call."""
    end: float
    label: str = ""


TIMEOUT = 30.0
SLOT_WAIT = 2.0
RETRY_AFTER = 2.0
"""What the response to the first attempt asks for, in seconds."""
TO_MODEL_A = (
    Span("slot", 0, 2),
    Span("attempt", 2, 6, "1"),
    Span("pause", 6, 8),
    Span("attempt", 8, 18, "2"),
)
TO_MODEL_B = (Span("attempt", 18, 22, "3"),)

_FILLS = {"slot": "d", "attempt": "a", "pause": "c"}
_LEFT, _SECOND = 12.0, 11.2


def _x(seconds: float) -> float:
    return _LEFT + _SECOND * seconds


def _row(y: float, spans: tuple[Span, ...]) -> list[str]:
    return [
        box(_x(each.start), y, _SECOND * (each.end - each.start), 28, _FILLS[each.kind], each.label)
        for each in spans
    ]


def time_of_a_call() -> str:
    """Return the figure of a call, its requests and its attempts, before its deadline."""
    end_a, end_b = TO_MODEL_A[-1].end, TO_MODEL_B[-1].end
    legend = [("d", "waits for a request slot"), ("a", "attempt"), ("c", "pause")]
    notes = [
        "1: 503 with Retry-After: 2. Not billed, so repeated.",
        f"2: No response after {end_a:g} s, 3/5 of the timeout.",
        f"3: Model B responds. The call takes {end_b:g} s.",
    ]
    parts = [
        *(line([(_x(at), 26), (_x(at), 166)], "grid") for at in (0, 10, 20)),
        line([(_x(end_a), 26), (_x(end_a), 166)], "orange"),
        line([(_x(TIMEOUT), 26), (_x(TIMEOUT), 166)], "orange"),
        text(_x(end_a), 20, "3/5", anchor="middle"),
        text(_x(TIMEOUT) + 6, 20, "deadline", anchor="end"),
        text(_LEFT, 42, "call", "bold"),
        rectangle(_x(0), 48, _SECOND * end_b, 12, "b"),
        text(_LEFT, 82, "request to model A", "bold"),
        *_row(88, TO_MODEL_A),
        text(_x(end_a) - 6, 143, "request to model B", "bold", anchor="end"),
        *_row(124, TO_MODEL_B),
        line([(_x(0), 166), (_x(TIMEOUT), 166)], "axis"),
        *(
            text(_x(at), 183, f"{at} s", "soft", anchor="middle" if at else "start")
            for at in (0, 10, 20)
        ),
        text(_x(TIMEOUT) + 6, 183, f"{TIMEOUT:g} s", "soft", anchor="end"),
    ]
    x = _LEFT
    for kind, label in legend:
        parts += [rectangle(x, 199, 13, 13, kind), text(x + 19, 210, label)]
        x += 36 + 6.6 * len(label)
    parts += [text(_LEFT, 235 + 20 * number, note) for number, note in enumerate(notes)]
    return figure(
        288,
        "A call with a timeout of 30 seconds and a fallback model. It waits 2 seconds for a "
        "request slot. Its first attempt ends after 6 seconds with the status 503 and a "
        "Retry-After of 2 seconds. The second attempt begins after 8 seconds and has no response "
        "after 18 seconds, which are three fifths of the timeout. The fallback model responds "
        "after 22 seconds, before the deadline.",
        parts,
    )


class Question(NamedTuple):
    """A question about a failed attempt, and what happens if the answer is yes."""

    lines: tuple[str, ...]
    if_yes: str


STOP, RESEND, WAIT = "Stop", "Send again, without a wait", "Wait, then send again"
QUESTIONS = (
    Question(("Would the same request", "fail again?"), STOP),
    Question(("Is it the second attempt that", "may be billed?"), STOP),
    Question(("Was a kept connection closed,", "and is max_retries above 0?"), RESEND),
    Question(("Is max_retries used up?",), STOP),
    Question(("Would the wait end", "after the deadline?"), STOP),
    Question(("Is the retry budget spent?",), STOP),
)
_WIDE, _STEP, _TALL = 208.0, 68.0, 44.0
_SIDE = 262.0


def retry_decision() -> str:
    """Return the figure of the decision whether a failed attempt is repeated."""
    tops = [44 + _STEP * number for number in range(len(QUESTIONS))]
    end = tops[-1] + _STEP
    parts = [box(8, 8, _WIDE, 22, "d", "An attempt has failed")]
    for above, below in pairwise([30 - _TALL, *tops, end]):
        parts.append(
            line([(8 + _WIDE / 2, above + _TALL), (8 + _WIDE / 2, below)], "axis", has_tip=True)
        )
    for top, question in zip(tops, QUESTIONS, strict=True):
        middle = top + _TALL / 2
        parts += [
            box(8, top, _WIDE, _TALL, "a", *question.lines),
            line([(8 + _WIDE, middle), (_SIDE, middle)], "axis", has_tip=True),
            text(8 + _WIDE + 10, middle - 6, "yes", "soft"),
            text(8 + _WIDE / 2 + 8, top + _TALL + 17, "no", "soft"),
        ]
    # Questions with the same answer next to each other share its box.
    start = 0
    for number, question in enumerate(QUESTIONS):
        following = QUESTIONS[number + 1 : number + 2]
        if following and following[0].if_yes == question.if_yes:
            continue
        is_stop = question.if_yes == STOP
        lines = (STOP,) if is_stop else ("Send again,", "without", "a wait")
        top, bottom = tops[start], tops[number] + _TALL
        if not is_stop:
            top, bottom = top - 8, bottom + 8
        parts.append(
            box(_SIDE, top, WIDTH - 8 - _SIDE, bottom - top, "c" if is_stop else "b", *lines)
        )
        start = number + 1
    parts += [
        box(8, end, _WIDE, 30, "b", WAIT),
        text(8, end + 56, "Stop: the next of fallback_models is tried, if"),
        text(8, end + 74, "another model may succeed. Otherwise the call"),
        text(8, end + 92, "raises the error."),
    ]
    spoken = " ".join(f"{' '.join(each.lines)} If yes: {each.if_yes}." for each in QUESTIONS)
    return figure(
        end + 104,
        f"What happens after a failed attempt, question by question. {spoken} After six times no: "
        f"{WAIT}. {STOP} means: the next fallback model is tried, if another model may succeed; "
        "otherwise the call raises the error.",
        parts,
    )


PAGES = {
    "docs/images/call-in-time.svg": time_of_a_call,
    "docs/images/retry-decision.svg": retry_decision,
}
