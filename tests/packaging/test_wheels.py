"""The wheels that users get: built from source archives, and installed in empty environments."""

import json
import re
import subprocess
import sys
import tomllib
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
    """The three wheels in dist/, so that the tested files are those that can be published."""
    dist = ROOT / "dist"
    for stale in dist.glob("*"):
        stale.unlink()
    for folder in FOLDERS.values():
        build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, folder]
        subprocess.run(build, check=True, capture_output=True)
    return {wheel.name.split("-")[0]: wheel for wheel in dist.glob("*.whl")}


@pytest.fixture(scope="session")
def constraints(tmp_path_factory) -> Path:
    """The tested versions, without hashes, because then our own wheels would need hashes too."""
    pins = (ROOT / "requirements/check.txt").read_text()
    file = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    file.write_text(re.sub(r" \\\n +--hash=\S+", "", pins))
    return file


class Environment:
    """A virtual environment with one of our wheels, its requirements, and nothing else."""

    def __init__(self, folder: Path, wheel: Path, constraints: Path) -> None:
        venv.create(folder, with_pip=True)
        self.python = folder / "bin/python"
        # uv installs in seconds, and pip in half a minute. `pip check` tests the result.
        install = [
            *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", self.python),
            *("--find-links", wheel.parent, "--constraint", constraints, wheel),
        ]
        subprocess.run(install, check=True)
        self.run("-m", "pip", "check")

    def run(self, *arguments: str | Path) -> str:
        """Run the environment's Python, which must succeed, and return what it prints."""
        # -I, so that it imports no modules from the working directory or from PYTHONPATH.
        command = [self.python, "-I", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def environment_of(wheels, constraints, tmp_path_factory):
    """Returns the environment of a wheel. It is made when it is first needed."""
    made: dict[str, Environment] = {}

    def environment(name: str) -> Environment:
        if name not in made:
            made[name] = Environment(
                tmp_path_factory.mktemp(name) / "venv", wheels[name], constraints
            )
        return made[name]

    return environment


@each_package
def test_a_wheel_contains_only_its_package(wheels, name):
    """A wheel contains all modules of one package, `py.typed` and its licence, and no tests."""
    source = FOLDERS[name] / "src"
    files = {
        file.relative_to(source).as_posix()
        for file in source.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    contained = set(ZipFile(wheels[name]).namelist())
    info = {file for file in contained if ".dist-info/" in file}

    assert f"{name}/py.typed" in contained
    assert contained - info == files
    assert any(file.endswith("/licenses/LICENSE") for file in info)


@each_package
def test_a_wheel_has_complete_metadata(wheels, name):
    """The metadata has the licence, Python versions, a summary, a description, URLs and `Typed`."""
    archive = ZipFile(wheels[name])
    (entry,) = (file for file in archive.namelist() if file.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(archive.read(entry).decode())

    # The core also contains the vocabulary of BERT, which is under the Apache licence.
    licence = "MIT AND Apache-2.0" if name == "openrouter_rerank" else "MIT"
    assert metadata["License-Expression"] == licence
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"]
    assert metadata.get_payload()
    project = tomllib.loads((FOLDERS[name] / "pyproject.toml").read_text())["project"]
    urls = {f"{label}, {url}" for label, url in project["urls"].items()}
    assert urls
    assert set(metadata.get_all("Project-URL")) == urls
    assert {
        "Typing :: Typed",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)),
    } <= set(metadata.get_all("Classifier", []))


def test_all_wheels_have_one_version(wheels):
    """The three distributions are released together, with one version."""
    assert wheels.keys() == FOLDERS.keys()
    assert len({wheel.name.split("-")[1] for wheel in wheels.values()}) == 1


@each_package
def test_a_wheel_can_be_installed_alone(environment_of, name):
    """A wheel installs all its requirements, with the core, and the requirements are compatible."""
    environment = environment_of(name)
    listed = json.loads(environment.run("-m", "pip", "list", "--format", "json"))
    installed = {package["name"].replace("-", "_") for package in listed}

    assert {name, "openrouter_rerank"} == installed & FOLDERS.keys()
    assert "No broken requirements" in environment.run("-m", "pip", "check")


@each_package
def test_a_package_can_be_imported_without_extras(environment_of, name):
    """A package with only its requirements can be imported, with all its public names."""
    code = f"import {name} as it; print(all(hasattr(it, public) for public in it.__all__))"

    assert environment_of(name).run("-c", code) == "True\n"


def test_the_import_of_the_core_loads_no_http_library(environment_of):
    """A program that only configures a reranker does not wait for the import of httpx."""
    code = "import sys, openrouter_rerank; print(sorted({'httpx', 'httpx2'} & sys.modules.keys()))"

    assert environment_of("openrouter_rerank").run("-c", code) == "[]\n"
