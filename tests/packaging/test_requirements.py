"""What the packages require, and what the lock files pin."""

import re
import tomllib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
OURS = {"openrouter-rerank", "langchain-openrouter-rerank", "llamaindex-openrouter-rerank"}
PACKAGES = [
    tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    for folder in (
        "shared",
        "packages/langchain_openrouter_rerank",
        "packages/llamaindex_openrouter_rerank",
    )
]
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
LOCKS = {
    file.stem: file
    for folder in ("requirements", "benchmarks/requirements")
    for file in sorted((ROOT / folder).glob("*.txt"))
}
PYTHONS = ["3.11", "3.12", "3.13"]


def group(name: str) -> list[Requirement]:
    """Return the requirements of a dependency group and of the groups that it includes."""
    return [
        requirement
        for item in GROUPS[name]
        for requirement in (
            [Requirement(item)] if isinstance(item, str) else group(item["include-group"])
        )
    ]


def published(*extras: str) -> list[Requirement]:
    """Return what the three packages require of other projects, without extras or with some."""
    lines = [line for package in PACKAGES for line in package["dependencies"]]
    for package in PACKAGES:
        for extra, wanted in package.get("optional-dependencies", {}).items():
            lines += wanted if extra in extras else []
    return [wanted for wanted in map(Requirement, lines) if wanted.name not in OURS]


@cache
def pins(lock: str) -> list[Requirement]:
    """Return the requirements in a lock file, without their hashes."""
    text = LOCKS[lock].read_text()
    return [
        Requirement(line.rstrip(" \\")) for line in re.findall(r"^\w.*==.*$", text, re.MULTILINE)
    ]


def pinned(lock: str, python: str, wanted: Requirement) -> list[Version]:
    """Return the versions that `lock` installs for a requirement, with `python` on Linux."""
    linux = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_python_implementation": "CPython",
    }
    if wanted.marker and not wanted.marker.evaluate(linux):
        return []
    return [
        Version(str(pin.specifier).removeprefix("=="))
        for pin in pins(lock)
        if pin.name.lower() == wanted.name.lower()
        and (not pin.marker or pin.marker.evaluate(linux))
    ]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize(
    ("lock", "name", "extras"),
    [
        ("demo", "demo", ["demo", "local-minilm", "local"]),
        ("clients", "bench-clients", ["demo", "local-minilm", "local"]),
        ("release", "release", ["demo", "local-minilm", "local"]),
        ("runtime", "runtime", []),
        ("test", "test", ["demo", "local-minilm", "local", "local-ocr"]),
        ("check", "check", ["demo", "local-minilm", "local", "local-ocr"]),
        ("lowest", "lowest", ["demo", "local-minilm", "local", "local-ocr"]),
    ],
)
def test_a_lock_pins_each_requirement_of_its_group(lock, name, extras, python):
    """A lock file pins one version of each requirement, in its range. If not, run `make lock`."""
    wanted = [*group(name), *published(*extras)]
    applies = [
        item
        for item in wanted
        if item.name not in OURS
        and (not item.marker or item.marker.evaluate({"python_version": python}))
    ]
    unmet = [
        f"{item} -> {[str(found) for found in versions]}"
        for item in applies
        for versions in [pinned(lock, python, item)]
        if len(versions) != 1 or versions[0] not in item.specifier
    ]

    assert applies
    assert unmet == []


@pytest.mark.parametrize("lock", ["demo", "runtime", "test"])
def test_smaller_locks_agree_with_the_largest(lock):
    """`make demo`, `make test` and `make check` can use one environment, in any order."""
    # Compare what is installed, not the lines: the largest lock may need a package on more systems.
    wanted = [(Requirement(pin.name), python) for pin in pins(lock) for python in PYTHONS]
    different = [
        f"{name} on {python}"
        for name, python in wanted
        if pinned(lock, python, name) not in ([], pinned("check", python, name))
    ]

    assert different == []


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_hashes_and_no_addresses(lock):
    """Users install from an index of their choice, and the hashes decide which files may come."""
    text = LOCKS[lock].read_text()

    assert text.count(" \\\n    --hash=sha256:") >= len(pins(lock)) > 0
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


@pytest.mark.parametrize("wanted", published(), ids=lambda wanted: wanted.name)
def test_the_lowest_lock_pins_the_lower_bounds(wanted):
    """`make test-lowest` installs the lowest version that a package allows."""
    (bound,) = (Version(clause.version) for clause in wanted.specifier if clause.operator == ">=")

    assert pinned("lowest", "3.11", wanted) == [bound]


def test_adapters_accept_the_core_of_their_own_version():
    """The three packages have one version, and both adapters require a compatible core."""
    numbers = {version(name) for name in OURS}
    cores = {
        str(wanted.specifier)
        for package in PACKAGES
        for wanted in map(Requirement, package["dependencies"])
        if wanted.name in OURS
    }

    (number,) = numbers
    (core,) = cores
    assert core.startswith("~=")
    assert number in SpecifierSet(core)
