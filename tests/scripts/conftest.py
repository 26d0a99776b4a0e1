"""The commands are run in an empty folder: without --out they write below the current one."""

import pytest


@pytest.fixture(autouse=True)
def here(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("here")
    monkeypatch.chdir(folder)
    return folder
