"""The graph of imports, for packages that the tests write."""

from graphlib import CycleError

import pytest

from tests.architecture.import_graph import cycle, import_graph, longest_chain


@pytest.fixture
def graph(tmp_path):
    """Returns the graph of a package `p`, given the text of each of its files."""

    def graph(files):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return import_graph({"p": tmp_path})

    return graph


def test_all_imports_of_a_module_count(graph):
    """Imports in functions and for type checkers count, and so do names and modules."""
    found = graph(
        {
            "a.py": "def f():\n    from .b import x\n",
            "b.py": "if TYPE_CHECKING:\n    from p import c\n",
            "c.py": "import p.d\n",
            "d.py": "import os\nfrom collections.abc import Iterable\n",
        }
    )

    assert found == {"p.a": ["p.b"], "p.b": ["p.c"], "p.c": ["p.d"], "p.d": []}
    assert longest_chain(found) == ("p.d", "p.c", "p.b", "p.a")


def test_a_name_of_a_package_counts_as_the_module_that_defines_it(graph):
    """An import from a package leads to the definition, through any number of packages."""
    found = graph(
        {
            "__init__.py": "from .inner import Thing as Other\n\nown = 1\n",
            "inner/__init__.py": "if TYPE_CHECKING:\n    from .thing import Thing\n",
            "inner/thing.py": "class Thing: ...\n",
            "user.py": "from p import Other, own\n",
        }
    )

    assert found["p.user"] == ["p", "p.inner.thing"]
    assert found["p"] == ["p.inner.thing"]


def test_lazy_imports_of_a_package_do_not_count(graph):
    """A package that offers names lazily is not in a cycle with the modules that use it."""
    found = graph(
        {
            "__init__.py": "if TYPE_CHECKING:\n    from .a import x\n\n"
            "def __getattr__(name):\n    from .a import x\n    return x\n",
            "a.py": "from p import something\n",
        }
    )

    assert found == {"p": [], "p.a": ["p"]}


def test_imports_that_run_with_a_package_count(graph):
    """A package that imports a module when it is imported is one level above the module."""
    found = graph({"__init__.py": "try:\n    from .a import x\nfinally:\n    pass\n", "a.py": ""})

    assert longest_chain(found) == ("p.a", "p")


def test_a_cycle_is_found(graph):
    """The modules of a cycle are named; without a cycle there are none."""
    found = graph({"a.py": "from .b import x\n", "b.py": "def f():\n    from .a import y\n"})

    assert {*cycle(found)} == {"p.a", "p.b"}
    with pytest.raises(CycleError):
        longest_chain(found)
    assert not cycle({"p.a": ["p.b"], "p.b": []})
