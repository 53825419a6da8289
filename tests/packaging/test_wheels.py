"""The wheels as users get them: built from source archives, installed where nothing else is."""

import json
import re
import subprocess
import sys
import venv
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.wheels

ROOT = Path(__file__).parents[2]
FOLDERS = {
    "openrouter_rerank": ROOT / "shared",
    "langchain_openrouter_rerank": ROOT / "packages/langchain_openrouter_rerank",
    "llamaindex_openrouter_rerank": ROOT / "packages/llamaindex_openrouter_rerank",
}
each_package = pytest.mark.parametrize("name", FOLDERS)


@pytest.fixture(scope="session")
def wheels() -> dict[str, Path]:
    """The three wheels, in dist/, so that what was tested is what can be published."""
    dist = ROOT / "dist"
    for stale in dist.glob("*"):
        stale.unlink()
    for folder in FOLDERS.values():
        build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, folder]
        subprocess.run(build, check=True, capture_output=True)
    return {wheel.name.split("-")[0]: wheel for wheel in dist.glob("*.whl")}


@pytest.fixture(scope="session")
def constraints(tmp_path_factory) -> Path:
    """The tested versions, without hashes: pip would demand one of our own wheels as well."""
    pins = (ROOT / "requirements/check.txt").read_text()
    file = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    file.write_text(re.sub(r" \\\n +--hash=\S+", "", pins))
    return file


class Bare:
    """A virtual environment that holds one of our wheels and what it requires, and nothing else."""

    def __init__(self, folder: Path, wheel: Path, constraints: Path) -> None:
        venv.create(folder, with_pip=True)
        self.python = folder / "bin/python"
        # By uv, which takes seconds where pip takes half a minute; pip judges the outcome.
        install = [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", self.python),
            *("--find-links", wheel.parent, "--constraint", constraints, wheel),
        ]
        subprocess.run(install, check=True)
        self.run("-m", "pip", "check")

    def run(self, *arguments: str | Path) -> str:
        """What the environment's Python prints, once it has ended well."""
        # -I: neither the working directory nor the environment may lend it a module.
        command = [self.python, "-I", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def bare(wheels, constraints, tmp_path_factory):
    """A bare environment for each wheel, made when it is first asked for."""
    made: dict[str, Bare] = {}

    def environment(name: str) -> Bare:
        if name not in made:
            made[name] = Bare(tmp_path_factory.mktemp(name) / "venv", wheels[name], constraints)
        return made[name]

    return environment


@each_package
def test_wheel_holds_its_package_and_nothing_else(wheels, name):
    """A wheel holds every module of one package, its marker of types and its licence; no tests."""
    source = FOLDERS[name] / "src"
    files = {
        file.relative_to(source).as_posix()
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    held = set(ZipFile(wheels[name]).namelist())
    info = {file for file in held if ".dist-info/" in file}

    assert f"{name}/py.typed" in held
    assert held - info == files
    assert any(file.endswith("/licenses/LICENSE") for file in info)


@each_package
def test_metadata_says_what_it_is(wheels, name):
    """The metadata of a wheel names its licence, its Pythons, its number and its types."""
    archive = ZipFile(wheels[name])
    (entry,) = (file for file in archive.namelist() if file.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(entry).decode())

    # Beside our own code the core holds BERT's vocabulary.
    own = "MIT AND Apache-2.0" if name == "openrouter_rerank" else "MIT"
    assert metadata["License-Expression"] == own
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"]
    assert metadata.get_payload()
    assert {
        "Typing :: Typed",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)),
    } <= set(metadata.get_all("Classifier", []))


def test_wheels_carry_one_number(wheels):
    """The three distributions are released together, under one version."""
    assert wheels.keys() == FOLDERS.keys()
    assert len({wheel.name.split("-")[1] for wheel in wheels.values()}) == 1


@each_package
def test_wheel_installs_into_a_bare_environment(bare, name):
    """A wheel brings all that it needs, the core included, and what it needs fits together."""
    environment = bare(name)
    listed = json.loads(environment.run("-m", "pip", "list", "--format", "json"))
    installed = {package["name"].replace("-", "_") for package in listed}

    assert {name, "openrouter_rerank"} == installed & FOLDERS.keys()
    assert "No broken requirements" in environment.run("-m", "pip", "check")


@each_package
def test_package_imports_without_extras(bare, name):
    """A package imports with only what it requires, and its public names are there."""
    code = f"import {name} as it; print(all(hasattr(it, public) for public in it.__all__))"

    assert bare(name).run("-c", code) == "True\n"


def test_core_imports_quickly(bare):
    """Importing the core loads no HTTP library: configuration alone does not wait for one."""
    code = "import sys, openrouter_rerank; print(sorted({'httpx', 'httpx2'} & sys.modules.keys()))"

    assert bare("openrouter_rerank").run("-c", code) == "[]\n"
