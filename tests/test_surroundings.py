"""A test that leaves something changed for the next one is found, and draws are those of the test alone."""

import subprocess
import sys

from benchmarks.figures.page import ROOT

TESTS = """
import os, random
import numpy as np, torch
from duospike.cosim.pages import plots

def test_leaves_a_function():
    plots.available = lambda: True

def test_leaves_a_variable():
    os.environ["HOME"] = "/"

def test_leaves_a_folder():
    os.chdir("/")

def test_puts_it_back(monkeypatch):
    monkeypatch.setattr(plots, "available", None)
    monkeypatch.setenv("HOME", "/tmp")

def draws():
    return random.random(), np.random.rand(), torch.rand(1).item()

def test_draws(pytestconfig):
    pytestconfig.drawn = draws()

def test_draws_the_same(pytestconfig):
    assert draws() == pytestconfig.drawn and draws() != pytestconfig.drawn
"""


def test_what_a_test_leaves_changed_is_named(tmp_path):
    (tmp_path / "test_x.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", "-n", "0", "--rootdir", tmp_path]
    done = subprocess.run([*command, "-c", "/dev/null", tmp_path / "test_x.py"], cwd=ROOT, capture_output=True, text=True)
    assert "6 passed, 3 errors" in done.stdout, done.stdout
    for name in ("duospike.cosim.pages.plots.available", "$HOME", "folder"):
        assert f"left changed: ['{name}']" in done.stdout
