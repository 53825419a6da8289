"""The log of situations that last."""

import logging
import threading

import pytest
from openrouter_rerank.telemetry import SituationLog


def test_the_first_report_is_a_warning_and_later_ones_are_debug(caplog):
    """A situation is logged as a WARNING once, and as DEBUG with its counts afterwards."""
    caplog.set_level(logging.DEBUG, "openrouter_rerank")
    log = SituationLog()

    for count in (3, 4, 5):
        log.report("blank", "%d documents are blank", count)

    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("WARNING", "3 documents are blank"),
        ("DEBUG", "4 documents are blank"),
        ("DEBUG", "5 documents are blank"),
    ]


def test_each_situation_and_each_log_warns(caplog):
    """Another situation, and another log, has its own first time."""
    caplog.set_level(logging.DEBUG, "openrouter_rerank")
    first, second = SituationLog(), SituationLog()

    first.report("blank", "blank")
    first.report("long", "long")
    second.report("blank", "blank")

    assert [each.levelname for each in caplog.records] == ["WARNING"] * 3


def test_of_many_threads_one_warns(caplog):
    """Threads that meet a situation together log one WARNING."""
    caplog.set_level(logging.DEBUG, "openrouter_rerank")
    log, start = SituationLog(), threading.Barrier(8)

    def meet():
        start.wait()
        log.report("blank", "blank")

    threads = [threading.Thread(target=meet) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(each.levelname for each in caplog.records) == ["DEBUG"] * 7 + ["WARNING"]


def test_after_a_hundred_situations_no_new_one_warns(caplog):
    """A name that differs in each call does not fill the log or the memory."""
    caplog.set_level(logging.DEBUG, "openrouter_rerank")
    log = SituationLog()

    for number in range(300):
        log.report(f"situation {number}", "%d", number)
    log.report("situation 0", "again")

    levels = [each.levelname for each in caplog.records]
    assert levels == ["WARNING"] * 100 + ["DEBUG"] * 201


@pytest.mark.parametrize(
    ("level", "first", "later"),
    [(logging.DEBUG, True, True), (logging.INFO, True, False), (logging.ERROR, False, False)],
)
def test_a_log_knows_what_it_would_log(caplog, level, first, later):
    """The text of a report is needed only if the logger has the level of the report."""
    log = SituationLog()

    with caplog.at_level(level, "openrouter_rerank"):
        assert log.is_logged("blank") is first
        log.report("blank", "blank")
        assert log.is_logged("blank") is later
