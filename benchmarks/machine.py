"""The machine and the versions of a measurement, without names of hosts, users or folders."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .catalog import Client
from .processes import python_of

_PROGRAM = """
import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try:
        print(name, version(name))
    except PackageNotFoundError:
        print(name, "is not installed")
"""


def machine() -> str:
    """Return the number of cores, the processor's model, the system and the interpreter."""
    file = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", file.read_text("utf-8")) if file.exists() else None
    model = found[1] if found else platform.processor() or platform.machine()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, {python}"


def versions(clients: Iterable[Client]) -> list[str]:
    """Return the packages of `clients` with their versions, each only once."""
    wanted: dict[str, list[str]] = {}
    for client in clients:
        wanted.setdefault(client.environment, []).extend(client.packages)
    lines: list[str] = []
    for environment, packages in wanted.items():
        command = [python_of(environment), "-c", _PROGRAM, *packages]
        printed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
        lines += [line for line in printed.splitlines() if line not in lines]
    return lines
