"""The log of situations that last."""

import logging
import threading

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
