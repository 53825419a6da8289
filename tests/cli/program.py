"""Runs the installed program `openrouter-rerank`: in pipes, and on a terminal of any width."""

import os
import subprocess
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

PROGRAM = Path(sysconfig.get_path("scripts"), "openrouter-rerank")
# Seconds. A busy machine may need many of them to start a process.
TIMEOUT = 100


def environment(stage, **variables):
    """Return an environment whose service and key are those of `stage`; `None` removes one."""
    changed = {
        **os.environ,
        "OPENROUTER_API_KEY": stage.api_key,
        "OPENROUTER_API_BASE": stage.base_url,
        **variables,
    }
    return {name: value for name, value in changed.items() if value is not None}


def run(stage, *arguments, stdin=b"", **variables):
    """Run the program with pipes, and return its result; the outputs are text."""
    given = {"input": stdin.encode() if isinstance(stdin, str) else stdin}
    done = subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        check=False,
        env=environment(stage, **variables),
        timeout=TIMEOUT,
        **given,
    )
    done.stdout = done.stdout.decode()
    done.stderr = done.stderr.decode()
    return done


def start(stage, *arguments, **options):
    """Start the program, and return the process."""
    return subprocess.Popen([PROGRAM, *arguments], env=environment(stage), **options)


def run_in_shell(stage, command, **variables):
    """Run a command line with `sh`, in which `openrouter-rerank` is the program."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", command],
        capture_output=True,
        check=False,
        env=environment(stage, PATH=path, **variables),
        timeout=TIMEOUT,
        text=True,
    )


def run_on_terminal(
    stage, *arguments, width=100, stdin=b"", errors_only=False, during=None, **variables
):
    """
    Run the program on a pseudo-terminal; return its exit status and what the terminal received.

    Args:
        stage: The service.
        *arguments: Arguments of the program.
        width: Columns of the terminal.
        stdin: The standard input, which is a pipe. `None` for the terminal.
        errors_only: Only the standard error is the terminal; the standard output is a pipe.
        during: Called with the process when it has its input.
        **variables: Of the environment.
    """
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    given = {"TERM": "xterm-256color", "COLUMNS": None, "LINES": None} | variables
    with subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=theirs if stdin is None else subprocess.PIPE,
        stdout=subprocess.DEVNULL if errors_only else theirs,
        stderr=theirs,
        env=environment(stage, **given),
    ) as running:
        os.close(theirs)
        if stdin is not None:
            running.stdin.write(stdin)
            running.stdin.close()
        if during is not None:
            during(running)
        received = bytearray()
        # Linux reports an error when the other side is closed.
        with suppress(OSError):
            while piece := os.read(ours, 65_536):
                received += piece
        os.close(ours)
    return running.returncode, received.decode("utf-8", "replace").replace("\r\n", "\n")


has_terminals = sys.platform != "win32"
