"""The version of Duospike, whole and in the shorter forms that other tools accept."""

from __future__ import annotations

from importlib.metadata import version

from packaging.version import Version


def full_version() -> str:
    """As the distribution has it, such as 0.2.0rc1."""
    return version("duospike")


def release_numbers() -> tuple[int, int, int]:
    """Major, minor and patch number: those of the release that a pre-release, a post-release or a local version belongs to.

    0.2.0rc1, 0.2.0.post3 and 0.2 are (0, 2, 0).
    """
    release = Version(full_version())
    return release.major, release.minor, release.micro


def release_text() -> str:
    """The three numbers with dots between them, for FuseSoC, which has no local versions."""
    return ".".join(map(str, release_numbers()))
