"""The bill of materials that `make sbom` has written."""

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.sbom

ROOT = Path(__file__).parents[2]
OURS = ["openrouter-rerank", "langchain-openrouter-rerank", "llamaindex-openrouter-rerank"]


@pytest.fixture(scope="module")
def text() -> str:
    """The bill of materials, as it is published."""
    return (ROOT / "build/sbom.cdx.json").read_text()


def test_the_bill_lists_the_lock_and_the_packages(text):
    """The bill lists each locked version and our three packages, and nothing else."""
    lines = re.findall(r"^\w.*==.*$", (ROOT / "requirements/runtime.txt").read_text(), re.MULTILINE)
    pins = [Requirement(line.rstrip(" \\")) for line in lines]
    locked = {
        (pin.name, str(pin.specifier).removeprefix("=="))
        for pin in pins
        if not pin.marker or pin.marker.evaluate()
    }

    listed = {
        (canonicalize_name(part["name"]), part["version"])
        for part in json.loads(text)["components"]
    }

    assert listed == locked | {(name, version(name)) for name in OURS}


def test_the_bill_does_not_say_where_it_was_made(text):
    """The bill contains no file, no folder of this machine, and no index that pip uses here."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(pip, capture_output=True, check=True, text=True).stdout
    indexes = re.findall(r"[a-z]+://(?:[^@/\s]*@)?([^\s'\",]+)", settings)
    private = ["file://", f"{ROOT}/", f"{Path.home()}/", *(each.rstrip("/") for each in indexes)]

    assert [each for each in private if each in text] == []
