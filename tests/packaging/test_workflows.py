"""The workflows that run for every change and publish every release."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
RELEASE = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def steps(jobs):
    """All steps of some jobs."""
    return [step for job in jobs.values() for step in job["steps"]]


def before(job):
    """The names of all jobs that have ended well when `job` begins."""
    needed = set(RELEASE[job].get("needs", []))
    return needed.union(*map(before, needed))


@each_file
def test_actions_are_pinned(file):
    """Whoever moves the tag of an action does not change what runs here."""
    used = re.findall(r"uses: (.*)", file.read_text())

    assert used
    assert [use for use in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+(\.\d+)+", use)] == []


@each_file
def test_nothing_is_allowed_unless_it_is_named(file):
    """A job has the permissions it lists, no secret, and a checkout without credentials."""
    text = file.read_text()
    workflow = yaml.safe_load(text)

    assert workflow["permissions"] == {}
    assert "secrets." not in text
    for step in steps(workflow["jobs"]):
        # An expression in a script is code that whoever names a tag or a branch may write.
        assert "${{" not in step.get("run", "")
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_what_is_published_was_tested():
    """Nothing is published before all tests, the audit and the tests of the very wheels."""
    commands = {step["run"] for name in ("test", "build") for step in RELEASE[name]["steps"][2:4]}

    assert before("publish-core") >= {"test", "build"}
    assert commands >= {".ci/run", "make test-lowest", "make audit"}
    assert "make sbom" in {step.get("run") for step in RELEASE["build"]["steps"]}
    for name in ("publish-core", "publish-adapters"):
        assert not [step for step in RELEASE[name]["steps"] if "run" in step]


def test_the_core_is_published_first():
    """An adapter is never there without the core that it asks for."""
    assert "publish-core" in before("publish-adapters")


@pytest.mark.parametrize("name", ["publish-core", "publish-adapters"])
def test_publishing_needs_no_token(name):
    """PyPI trusts the workflow, in an environment of its own, and gets attestations."""
    job = RELEASE[name]
    publish = job["steps"][-1]

    assert job["environment"] == "pypi"
    assert job["permissions"] == {"id-token": "write"}
    assert publish["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert publish["with"] == {"attestations": True, "print-hash": True}
