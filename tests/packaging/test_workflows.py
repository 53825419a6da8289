"""The workflows that test every change and publish every release."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
RELEASE = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]
each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def steps(jobs):
    """Return all steps of some jobs."""
    return [step for job in jobs.values() for step in job["steps"]]


def before(job):
    """Return the names of all jobs that must succeed before `job` begins."""
    needed = set(RELEASE[job].get("needs", []))
    return needed.union(*map(before, needed))


@each_file
def test_actions_are_pinned(file):
    """Actions are pinned by commit, so a moved tag does not change which code runs."""
    used = re.findall(r"uses: (.*)", file.read_text())

    assert used
    assert [use for use in used if not re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+(\.\d+)+", use)] == []


@each_file
def test_jobs_have_only_the_permissions_they_list(file):
    """A job has the permissions it lists, no secrets, and a checkout without credentials."""
    text = file.read_text()
    workflow = yaml.safe_load(text)

    assert workflow["permissions"] == {}
    assert "secrets." not in text
    for step in steps(workflow["jobs"]):
        # With an expression in a script, the name of a tag or branch could run any code.
        assert "${{" not in step.get("run", "")
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_releases_are_tested_before_they_are_published():
    """All tests, the audit, the list of models and the published wheels are checked first."""
    commands = {step["run"] for name in ("test", "build") for step in RELEASE[name]["steps"][2:4]}

    assert before("publish-core") >= {"test", "build"}
    assert commands >= {".ci/run", "make test-lowest", "make audit"}
    build = {step.get("run") for step in RELEASE["build"]["steps"]}
    assert build >= {"make sbom", "make compare-models"}
    for name in ("publish-core", "publish-adapters"):
        assert not [step for step in RELEASE[name]["steps"] if "run" in step]


def test_the_published_wheels_link_to_the_repository():
    """The URLs of the repository are added after all tests of the sources, before the build."""
    commands = [step.get("run") for step in RELEASE["build"]["steps"]]
    add = (
        'python -m scripts.release_urls "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY" "$GITHUB_REF_NAME"'
    )

    assert commands.index("make test-lowest") < commands.index(add) < commands.index("make sbom")


def test_the_site_is_published_with_its_address():
    """The site is built after it has its address, and published after the packages."""
    commands = [step.get("run", "") for step in RELEASE["build"]["steps"]]
    built = next(at for at, command in enumerate(commands) if "zensical build" in command)

    assert "release_urls" in " ".join(commands[:built])
    assert before("publish-site") >= {"publish-core", "publish-adapters"}


def test_the_core_is_published_first():
    """The core is published before the adapters, which require it."""
    assert "publish-core" in before("publish-adapters")


@pytest.mark.parametrize("name", ["publish-core", "publish-adapters"])
def test_publishing_needs_no_token(name):
    """PyPI trusts the workflow in its own environment, and gets attestations."""
    job = RELEASE[name]
    publish = job["steps"][-1]

    assert job["environment"] == "pypi"
    assert job["permissions"] == {"id-token": "write"}
    assert publish["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert publish["with"] == {"attestations": True, "print-hash": True}
