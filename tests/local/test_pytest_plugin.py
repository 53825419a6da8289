import inspect
import os
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points

import openrouter_rerank_pytest as pytest_plugin
from openrouter_rerank.local import stage as stage_module


def test_the_documented_example_runs(tmp_path):
    """The example in the fixture's docstring passes."""
    (tmp_path / "test_example.py").write_text(example(pytest_plugin.local_openrouter))

    run = python(
        *("-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-p", pytest_plugin.__name__, tmp_path),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )

    assert "2 passed" in run.stdout, run.stdout + run.stderr


def test_the_module_example_runs():
    """The example in the docstring of the stage passes, and leaves no resource open."""
    run = python("-W", "error", "-c", example(stage_module))

    assert (run.returncode, run.stderr) == (0, "")


def test_the_plugin_imports_nothing_until_the_fixture_is_used():
    """The plugin imports only itself, so that it does not slow down other pytest runs."""
    run = python(
        "-c",
        "import sys, pytest; before = set(sys.modules);"
        f"import {pytest_plugin.__name__}; print(*(set(sys.modules) - before))",
    )

    assert run.stdout.split() == [pytest_plugin.__name__]


def test_the_plugin_is_installed_with_the_package(request):
    """Pytest loads the plugin of the installed package, and no conftest has to name it."""
    [entry] = entry_points(group="pytest11", name="openrouter_rerank")

    assert entry.load() is pytest_plugin
    assert request.config.pluginmanager.get_plugin("openrouter_rerank") is pytest_plugin


def test_the_fixture_leaves_the_environment_unchanged(request):
    """The fixture sets no environment variable."""
    before = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}

    request.getfixturevalue("local_openrouter")

    after = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    assert after == before


def example(documented):
    """Return the fenced example in a docstring."""
    return textwrap.dedent(inspect.getdoc(documented).split("```python\n")[1].split("```")[0])


def python(*arguments, **environment):
    """Run Python in a separate process."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
