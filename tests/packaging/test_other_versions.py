"""Our LangChain package, installed together with old and new LangChain and ChatOpenRouter."""

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheels

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "shared", ROOT / "packages/langchain_openrouter_rerank"]
# For each environment: the lock file, and the packages whose versions replace those of the lock.
# The first langchain-openrouter requires langchain-core 1.2.13 or newer.
ENVIRONMENTS = {
    "the lowest versions": ("lowest", []),
    "the first ChatOpenRouter": (
        "check",
        ["langchain-core==1.2.13", "langchain-openrouter==0.0.2"],
    ),
    "the last ChatOpenRouter": ("check", ["langchain-openrouter==0.2.9", "langchain-tests==1.1.9"]),
}
PROGRAM = """
from importlib.util import find_spec

from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.local.stage import Stage

if find_spec("langchain_openrouter"):
    from langchain_openrouter import ChatOpenRouter

    ChatOpenRouter(model="openai/gpt-5-mini", api_key="any")

texts = ["Berlin is in Germany.", "Paris is the capital of France."]
search = RunnableLambda(lambda query: [Document(text) for text in texts])
with Stage() as stage:
    reranker = OpenRouterRerank(api_key=stage.api_key, base_url=stage.base_url, top_n=1)
    print(reranker.as_retriever(search).invoke("capital of France")[0].page_content)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The wheels of the core and of the LangChain package."""
    dist = tmp_path_factory.mktemp("dist")
    for folder in FOLDERS:
        build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", dist]
        subprocess.run([*build, folder], check=True, capture_output=True)
    return sorted(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def install(wheels, tmp_path_factory):
    """Make an environment with our wheels and other packages, once, and return its Python."""
    made = {}

    def install(name):
        if name not in made:
            home = tmp_path_factory.mktemp("environment")
            lock, others = ENVIRONMENTS[name]
            constraints = home / "constraints.txt"
            constraints.write_text(pins(lock, {other.partition("==")[0] for other in others}))
            venv.create(home / "venv", with_pip=True)
            made[name] = home / "venv/bin/python"
            # uv installs in seconds, and pip in a minute. `pip check` tests the result.
            run(
                *(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", made[name]),
                *("--find-links", wheels[0].parent, "--constraint", constraints),
                *(*wheels, "openrouter-rerank[testing]", *others),
            )
        return made[name]

    return install


def pins(lock, without):
    """
    Return the pins of a lock file, except those of the packages in `without`.

    They have no hashes, because then our wheels would need hashes too.
    """
    text = (ROOT / f"requirements/{lock}.txt").read_text()
    lines = re.sub(r" \\\n +--hash=\S+", "", text).splitlines()
    return "\n".join(line for line in lines if line.partition("==")[0] not in without)


def run(python, *arguments, **options):
    """Run a program that must succeed, and return what it prints."""
    # -I, so that it imports no modules from the working directory or from PYTHONPATH.
    command = [python, "-I", *arguments]
    done = subprocess.run(command, capture_output=True, check=False, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_package_works_in_each_environment(install, name):
    """The requirements of all packages are met, and a retriever reranks."""
    python = install(name)

    assert "No broken requirements" in run(python, "-m", "pip", "check")
    assert run(python, "-c", PROGRAM) == "Paris is the capital of France.\n"


def test_the_retriever_passes_langchains_standard_tests(install, tmp_path):
    """LangChain's standard tests pass, in an environment with the pytest plugins they install."""
    shutil.copy(Path(__file__).parent / "standard_retriever.py", tmp_path / "test_standard.py")

    printed = run(
        *(install("the last ChatOpenRouter"), "-m", "pytest", "-q", "-W", "error"),
        *("-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"),
        cwd=tmp_path,
    )

    assert "10 passed" in printed
