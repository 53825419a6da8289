"""
Lists the licences of what users install: `python -m tests.packaging.licences`.

It fails if one is not known to allow what the MIT licence of this project allows.
"""

import re
import sys
from collections import defaultdict
from importlib.metadata import metadata
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).parents[2] / "requirements" / "runtime.txt"

# Permissive ones, and the MPL, which asks something only of those who change its files.
ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC"),
    *("MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib"),
}
# What packages write that do not use the identifiers of SPDX.
WRITTEN = {
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
    """Return the names of what a lock installs on this Python and system."""
    lines = re.findall(r"^\w.*==.*$", lock.read_text(), re.MULTILINE)
    pins = [Requirement(line.rstrip(" \\")) for line in lines]
    return [pin.name for pin in pins if not pin.marker or pin.marker.evaluate()]


def licence(about):
    """
    Return the licence that a package's metadata name, in SPDX's words where they can be told.

    The field for such words counts first, then the older free one, of which the first line is its
    name, then the classifiers.
    """
    classifiers = [
        classifier.rpartition(" :: ")[2]
        for classifier in about.get_all("Classifier", [])
        if classifier.startswith("License :: ")
    ]
    first_line = (about.get("License") or "").partition("\n")[0].strip()
    told = about.get("License-Expression") or first_line
    return WRITTEN.get(told, told) or " AND ".join(WRITTEN.get(each, each) for each in classifiers)


def is_allowed(expression):
    """Tell whether each licence of an expression is one that is allowed, also behind an OR."""
    names = re.split(r" (?:AND|OR) ", expression.replace("(", "").replace(")", ""))
    return ALLOWED.issuperset(names)


def main():
    """Print the packages by licence, and tell whether one is not allowed."""
    packages = defaultdict(list)
    for name in locked():
        packages[licence(metadata(name))].append(name)
    for expression, names in sorted(packages.items()):
        mark = "" if is_allowed(expression) else "NOT ALLOWED: "
        print(f"{mark}{expression or 'none'}: {', '.join(sorted(names))}")
    return 0 if all(map(is_allowed, packages)) else 1


if __name__ == "__main__":
    sys.exit(main())
