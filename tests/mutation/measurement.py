"""
Find out which mutants the tests notice.

pytest collects the tests once and runs them on the unchanged code, to learn which test executes
which lines. Then the process forks for each mutant, and the child runs the tests that execute a
line of it. A change inside a function replaces the code of the function. Any other change, for
example of a constant, needs the module and the tests to be imported again.
"""

import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path

import coverage
import hypothesis
import pytest

from tests.mutation.changed_module import ChangedModule, LiveFunctions, forget_modules
from tests.mutation.mutants import Mutant

OPTIONS = [
    *("-q", "-s", "-p", "no:cacheprovider"),
    # Plugins are imported already
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),
]


class FewExamples:
    """A plugin of pytest, which keeps tests with random examples short."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Choose the number of examples after `conftest.py` and before the tests are imported."""
        hypothesis.settings.register_profile(
            "mutation",
            deadline=None,
            derandomize=True,
            max_examples=20,
            phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        )
        hypothesis.settings.load_profile("mutation")


class Measurement(FewExamples):
    """A plugin of pytest, which runs the tests for each mutant instead of once."""

    def __init__(self, mutants: Iterable[Mutant], jobs: int, report: Callable[..., None]) -> None:
        self._mutants = list(mutants)
        self._jobs = jobs
        self._report = report
        self._running: dict[int, Callable[[bool], None]] = {}
        self.problem: str | None = None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests on the unchanged code, then on each mutant."""
        files = list(dict.fromkeys(mutant.file for mutant in self._mutants))
        self._session = session
        self._functions = LiveFunctions({str(file) for file in files})
        self._run_unchanged(files)
        if session.testsfailed:
            self.problem = "The tests fail without any change."
            return True
        self._fork(None, self._checked)
        gc.collect()
        gc.freeze()  # So a child copies less of the memory
        for mutant in self._mutants:
            if self.problem:
                break
            self._fork(mutant, partial(self._report, mutant))
        while self._running:
            self._wait()
        return True

    def _checked(self, passed: bool) -> None:
        if not passed:
            self.problem = "The tests fail in a fork of this process without any change."

    def _run_unchanged(self, files: list[Path]) -> None:
        """Learn which tests execute a line, and how long each test takes."""
        tracer = coverage.Coverage(
            data_file=None, config_file=False, include=[str(file) for file in files]
        )
        self._seconds: dict[str, float] = {}
        items = self._session.items
        tracer.start()
        for item, following in pairwise([*items, None]):
            tracer.switch_context(item.nodeid)
            self._functions.clear_caches()
            start = time.process_time()
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            self._seconds[item.nodeid] = time.process_time() - start
        tracer.stop()
        data = tracer.get_data()
        self._tests = {file: data.contexts_by_lineno(str(file)) for file in files}

    def _fork(self, mutant: Mutant | None, ended: Callable[[bool], None]) -> None:
        while len(self._running) >= self._jobs:
            self._wait()
        child = os.fork()
        if child:
            self._running[child] = ended
            return
        status = 1
        try:
            os.dup2(os.open(os.devnull, os.O_RDWR), 1)
            os.dup2(1, 2)
            self._functions.clear_caches()
            status = self._run_changed(mutant) if mutant else self._run_again(set(self._seconds))
        finally:
            os._exit(status)

    def _wait(self) -> None:
        child, status = os.wait()
        if ended := self._running.pop(child, None):
            ended(status == 0)

    def _run_changed(self, mutant: Mutant) -> int:
        """Run the tests of a mutant in a child; return 0 if all pass."""
        file = str(mutant.file)
        by_line = self._tests[mutant.file]
        tests = {test for line in mutant.lines for test in by_line.get(line, ()) if test}
        old = compile(mutant.file.read_bytes(), file, "exec", dont_inherit=True)
        new = compile(mutant.tree(), file, "exec", dont_inherit=True)
        if tests and self._functions.replace(old, new):
            self._limit(tests, 2)
            return self._run([item for item in self._session.items if item.nodeid in tests])
        sys.meta_path.insert(0, ChangedModule(file, new))
        # A test may use only what the module defines, such as a dataclass, and execute no line.
        files = {_file(test) for tests in by_line.values() for test in tests if test}
        return self._run_again({test for test in self._seconds if _file(test) in files})

    def _run(self, items: list[pytest.Item]) -> int:
        items.sort(key=lambda item: self._seconds[item.nodeid])
        for item, following in pairwise([*items, None]):
            item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._session.testsfailed:
                return 1
        return 0

    def _run_again(self, tests: set[str]) -> int:
        """Import the modules and the tests again, and run these tests."""
        self._limit(tests, 20)
        forget_modules(Path.cwd())
        files = sorted(set(map(_file, tests)))
        return pytest.main([*OPTIONS, "-x", *files], plugins=[_Only(tests, self._seconds)])

    def _limit(self, tests: set[str], seconds: int) -> None:
        """
        End the child when it has used far more CPU time than the unchanged code.

        CPU time does not depend on what else the machine does.
        """
        seconds += int(5 * sum(self._seconds[test] for test in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _file(test: str) -> str:
    return test.partition("::")[0]


class _Only(FewExamples):
    """A plugin of pytest, which keeps only these tests, the fastest first."""

    def __init__(self, tests: set[str], seconds: dict[str, float]) -> None:
        self._tests = tests
        self._seconds = seconds

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests."""
        items[:] = [item for item in items if item.nodeid in self._tests]
        items.sort(key=lambda item: self._seconds[item.nodeid])
