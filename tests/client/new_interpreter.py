"""Programs that use the clients, each in a new interpreter."""

import os
import subprocess
import sys
import textwrap


def run(script, stage, *flags, **environment):
    """Run `script` in a new interpreter, and return what it prints."""
    code = textwrap.dedent(script)
    finished = subprocess.run(
        [sys.executable, *flags, "-c", code],
        env=os.environ
        | {"OPENROUTER_API_BASE": stage.base_url, "OPENROUTER_API_KEY": stage.api_key}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr
    return finished.stdout.strip()
