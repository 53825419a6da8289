"""Which licences the dependencies of the packages may have."""

from email.message import Message

import pytest

from tests.packaging.licences import is_allowed, licence, locked


def package_metadata(**fields):
    """Return metadata with these fields."""
    message = Message()
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            message[name.replace("_", "-")] = value
    return message


MIT = "License :: OSI Approved :: MIT License"
GPL = "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"


@pytest.mark.parametrize(
    ("fields", "expression", "allowed"),
    [
        pytest.param({"License_Expression": "MIT"}, "MIT", True, id="expression"),
        pytest.param({"License": "Apache 2.0"}, "Apache-2.0", True, id="free text"),
        pytest.param({"License": "MIT License\n\nCopyright"}, "MIT", True, id="whole text"),
        pytest.param({"Classifier": MIT}, "MIT", True, id="classifier"),
        pytest.param(
            {"License_Expression": "MPL-2.0 AND (Apache-2.0 OR MIT)"},
            "MPL-2.0 AND (Apache-2.0 OR MIT)",
            True,
            id="compound",
        ),
        pytest.param({"License": "BSD", "Classifier": GPL}, "BSD-3-Clause", True, id="field first"),
        pytest.param({}, "", False, id="none"),
        pytest.param({"License": "Proprietary"}, "Proprietary", False, id="unknown"),
        pytest.param({"License_Expression": "GPL-3.0-only"}, "GPL-3.0-only", False, id="GPL"),
        pytest.param(
            {"License_Expression": "MIT AND AGPL-3.0-only"},
            "MIT AND AGPL-3.0-only",
            False,
            id="GPL among others",
        ),
        pytest.param(
            {"Classifier": [MIT, GPL]},
            "MIT AND GNU General Public License v3 (GPLv3)",
            False,
            id="one of two classifiers",
        ),
    ],
)
def test_only_known_licences_are_allowed(fields, expression, allowed):
    """A licence is found in each field that packages use, and is allowed only if it is known."""
    found = licence(package_metadata(**fields))

    assert (found, is_allowed(found)) == (expression, allowed)


def test_the_runtime_lock_has_only_what_users_install():
    """The runtime lock has the dependencies of the three packages, and no development tools."""
    names = set(locked())

    assert {"httpx", "pydantic", "langchain-core", "llama-index-core"} <= names
    assert names.isdisjoint({"pytest", "ruff", "hypothesis", "onnxruntime", "hatchling"})
