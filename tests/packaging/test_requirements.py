"""What the packages ask for, and what requirements/ pins."""

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
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYTHONS = ["3.11", "3.12", "3.13"]


def group(name: str) -> list[Requirement]:
    """What a dependency group asks for, its included groups with it."""
    return [
        requirement
        for item in GROUPS[name]
        for requirement in (
            [Requirement(item)] if isinstance(item, str) else group(item["include-group"])
        )
    ]


def published(*extras: str) -> list[Requirement]:
    """What the packages require of others, alone and with `extras`."""
    lines = [line for package in PACKAGES for line in package["dependencies"]]
    for package in PACKAGES:
        for extra, wanted in package.get("optional-dependencies", {}).items():
            lines += wanted if extra in extras else []
    return [wanted for wanted in map(Requirement, lines) if wanted.name not in OURS]


@cache
def pins(lock: str) -> list[Requirement]:
    """The lines of a lock, without their hashes."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    return [
        Requirement(line.rstrip(" \\")) for line in re.findall(r"^\w.*==.*$", text, re.MULTILINE)
    ]


def pinned(lock: str, python: str, wanted: Requirement) -> list[Version]:
    """The versions that `lock` installs of what is `wanted`, on one version of Python on Linux."""
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
    ("lock", "extras"),
    [
        ("demo", ["demo", "local-minilm", "local"]),
        ("docs", ["demo", "local-minilm", "local"]),
        ("bench", ["demo", "local-minilm", "local"]),
        ("release", ["demo", "local-minilm", "local"]),
        ("runtime", []),
        ("test", ["demo", "local-minilm", "local", "local-ocr"]),
        ("check", ["demo", "local-minilm", "local", "local-ocr"]),
        ("lowest", ["demo", "local-minilm", "local", "local-ocr"]),
    ],
)
def test_locks_hold_what_is_asked_for(lock, extras, python):
    """Each lock pins one version of each requirement, within its range; if not: `make lock`."""
    wanted = [*group("test" if lock == "lowest" else lock), *published(*extras)]
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
    """One environment serves `make demo`, `make test` and `make check`, whichever comes first."""
    # By what they install: the larger lock may need a package on more platforms.
    wanted = [(Requirement(pin.name), python) for pin in pins(lock) for python in PYTHONS]
    unlike = [
        f"{name} on {python}"
        for name, python in wanted
        if pinned(lock, python, name) not in ([], pinned("check", python, name))
    ]

    assert unlike == []


@pytest.mark.parametrize("lock", [lock.stem for lock in LOCKS])
def test_locks_hold_hashes_and_no_addresses(lock):
    """Whoever installs decides where from, and the hashes decide what is let in."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()

    assert text.count(" \\\n    --hash=sha256:") >= len(pins(lock)) > 0
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


@pytest.mark.parametrize("wanted", published(), ids=lambda wanted: wanted.name)
def test_lowest_lock_holds_the_lower_bounds(wanted):
    """The lowest version that a package allows is the one that `make test-lowest` installs."""
    (bound,) = (Version(clause.version) for clause in wanted.specifier if clause.operator == ">=")

    assert pinned("lowest", "3.11", wanted) == [bound]


def test_adapters_accept_the_core_of_their_own_version():
    """The three packages carry one number, and both adapters ask for a core that is compatible."""
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
