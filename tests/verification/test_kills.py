"""Commands that are killed at random moments lose nothing and leave nothing: a few here, all by verification.kills."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from verification.kills import CASES

ROOT = Path(__file__).parents[2]


def kills(tmp_path, *words):
    return subprocess.run(
        [sys.executable, "-m", "verification.kills", *words], cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("command", [name for name in CASES if name not in ("synth --pnr", "explore luts")])
def test_few_kills_of_each_command(command, tmp_path):
    done = kills(tmp_path, command, "--kills", "2", "--terms", "1")
    assert done.returncode == 0 and "no fault" in done.stdout, done.stdout + done.stderr
    assert not list(tmp_path.iterdir())
