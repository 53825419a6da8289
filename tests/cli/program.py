"""
Runs the command line: in pipes, and on a terminal of any width.

`call` and `call_on_terminal` call `main` in this process, which takes milliseconds. `run`,
`run_on_terminal`, `run_in_shell` and `start` start the installed program, which takes a second of
processor time. Only what a process alone can show needs them: signals, closed files, shells.
"""

import os
import subprocess
import sys
import sysconfig
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path

from openrouter_rerank.cli import main

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


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a call of `main` has returned and written."""

    returncode: int
    stdout: str
    stderr: str


def call(stage, *arguments, stdin=b"", encoding="utf-8", **variables):
    """Call `main` as if its outputs were pipes, and return its result."""
    stdout, stderr = BytesIO(), BytesIO()
    files = {
        "stdin": TextIOWrapper(BytesIO(stdin.encode() if isinstance(stdin, str) else stdin)),
        "stdout": TextIOWrapper(stdout, encoding),
        "stderr": TextIOWrapper(stderr, encoding, "backslashreplace", write_through=True),
    }
    with _state(environment(stage, **variables), files):
        status = _status(arguments)
        # As Python does when a process ends.
        files["stdout"].flush()
    return Done(
        returncode=status, stdout=stdout.getvalue().decode(), stderr=stderr.getvalue().decode()
    )


def call_on_terminal(stage, *arguments, width=100, stdin=b"", errors_only=False, **variables):
    """
    Call `main` on a pseudo-terminal; return its status and what the terminal received.

    Args:
        stage: The service.
        *arguments: Arguments of the program.
        width: Columns of the terminal.
        stdin: What a pipe to the standard input has in it. `None`: it is the terminal.
        errors_only: Only the standard error is the terminal; the standard output is a pipe.
        **variables: Of the environment.
    """
    import pty

    ours, theirs = pty.openpty()
    terminal = os.fdopen(theirs, "w", encoding="utf-8", closefd=False)
    files = {
        "stdin": open(theirs, closefd=False) if stdin is None else TextIOWrapper(BytesIO(stdin)),  # noqa: SIM115 - it closes nothing
        "stdout": TextIOWrapper(BytesIO(), "utf-8") if errors_only else terminal,
        "stderr": terminal,
    }
    given = {"TERM": "xterm-256color", "COLUMNS": str(width), "LINES": "24"} | variables
    received = bytearray()
    reader = threading.Thread(target=_read, args=(ours, received))
    reader.start()
    with _state(environment(stage, **given), files):
        status = _status(arguments)
        terminal.flush()
    os.close(theirs)
    reader.join(TIMEOUT)
    os.close(ours)
    return status, received.decode("utf-8", "replace").replace("\r\n", "\n")


def _status(arguments):
    try:
        return main([os.fsdecode(argument) for argument in arguments])
    except SystemExit as ended:
        # click ends the process after a completion.
        return ended.code


@contextmanager
def _state(variables, files):
    """Give this process the environment and the standard files of another one for a while."""
    environment_before = {**os.environ}
    files_before = {name: getattr(sys, name) for name in files}
    os.environ.clear()
    os.environ.update(variables)
    vars(sys).update(files)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment_before)
        vars(sys).update(files_before)


def _read(source, received):
    # Linux reports an error when the other side is closed.
    with suppress(OSError):
        while piece := os.read(source, 65_536):
            received += piece


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


def run_on_terminal(stage, *arguments, width=100, stdin=b"", during=None, **variables):
    """
    Run the program on a pseudo-terminal; return its exit status and what the terminal received.

    Args:
        stage: The service.
        *arguments: Arguments of the program.
        width: Columns of the terminal.
        stdin: The standard input, which is a pipe. `None` for the terminal.
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
        stdout=theirs,
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
        _read(ours, received)
        os.close(ours)
    return running.returncode, received.decode("utf-8", "replace").replace("\r\n", "\n")


has_terminals = sys.platform != "win32"
