"""
Lists the licences of all packages that users install: `python -m tests.packaging.licences`.

It fails if a licence is not in the list of licences that are compatible with this project's MIT
licence.
"""

import re
import sys
from collections import defaultdict
from importlib.metadata import metadata
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).parents[2] / "requirements" / "runtime.txt"

# Permissive licences, and the MPL, whose conditions apply only to changes of its own files.
ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC"),
    *("MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib"),
}
# The SPDX identifiers of licences for which packages write other names.
SPDX = {
    "Apache 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "PSFL": "PSF-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def locked(lock=LOCK):
    """Return the names of the packages that a lock file installs on this Python and system."""
    lines = re.findall(r"^\w.*==.*$", lock.read_text(), re.MULTILINE)
    pins = [Requirement(line.rstrip(" \\")) for line in lines]
    return [pin.name for pin in pins if not pin.marker or pin.marker.evaluate()]


def licence(package_metadata):
    """
    Return the licence in a package's metadata, as an SPDX expression if possible.

    The field for SPDX expressions comes first, then the first line of the older field for any text,
    then the classifiers.
    """
    classifiers = [
        classifier.rpartition(" :: ")[2]
        for classifier in package_metadata.get_all("Classifier", [])
        if classifier.startswith("License :: ")
    ]
    first_line = (package_metadata.get("License") or "").partition("\n")[0].strip()
    name = package_metadata.get("License-Expression") or first_line
    return SPDX.get(name, name) or " AND ".join(SPDX.get(each, each) for each in classifiers)


def is_allowed(expression):
    """Return `True` if all licences of an expression are allowed, also those after an OR."""
    names = re.split(r" (?:AND|OR) ", expression.replace("(", "").replace(")", ""))
    return ALLOWED.issuperset(names)


def main():
    """Print the packages by licence, and return 1 if a licence is not allowed."""
    packages = defaultdict(list)
    for name in locked():
        packages[licence(metadata(name))].append(name)
    for expression, names in sorted(packages.items()):
        mark = "" if is_allowed(expression) else "NOT ALLOWED: "
        print(f"{mark}{expression or 'none'}: {', '.join(sorted(names))}")
    return 0 if all(map(is_allowed, packages)) else 1


if __name__ == "__main__":
    sys.exit(main())
