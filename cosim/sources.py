"""What a figure or a result was made from: digests of the program that makes it, of all that this imports, and of other files.

Comments, docstrings and line breaks of Python do not count; of all other files every byte does.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The repository, or where the package is installed without one."""
PACKAGE, LINKED = "duospike", ("rtl", "reference", "cosim", "scripts")
"""The package, and the folders beside it that are imported as parts of it."""
DIGITS = 8


def digests(modules: Sequence[str], files: Sequence[str] = (), without: Sequence[str] = (), root: Path = ROOT) -> dict[str, str]:
    """A digest of each folder of modules, and of each pattern of files.

    modules: imported names; what they import of the repository counts as well. files: patterns relative to root. without:
    patterns of modules' files that decide no figure; what only they import does not count. ValueError if a name or pattern
    stands for nothing.
    """
    found = sorted(path.relative_to(root) for path in closure(modules, without, root))
    folders: dict[str, list[Path]] = {}
    for path in found:
        folders.setdefault(str(path.parent), []).append(path)
    others = {pattern: sorted(path.relative_to(root) for path in root.glob(pattern) if path.is_file()) for pattern in files}
    if empty := [pattern for pattern, paths in others.items() if not paths]:
        raise ValueError(f"no file matches {', '.join(empty)}")
    return {name: _digest(paths, root) for name, paths in (folders | others).items()}


def digest_of_modules(modules: Sequence[str], without: Sequence[str] = ()) -> str:
    """One digest of modules and all that they import of this package."""
    return _digest(sorted(path.relative_to(ROOT) for path in closure(modules, without)), ROOT)


def _digest(paths: Iterable[Path], root: Path) -> str:
    whole = hashlib.sha256()
    for path in paths:
        content = (root / path).read_bytes()
        whole.update(f"{path} {code_digest(content) if path.suffix == '.py' else hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()[:DIGITS]


@cache
def code_digest(source: bytes) -> str:
    """The digest of Python source without comments and docstrings; the same in every version of Python."""
    return hashlib.sha256(_code(ast.parse(source)).encode()).hexdigest()


def _code(node: object) -> str:
    """The syntax tree as text. Empty fields are left out, since versions of Python differ in which there are."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if value is not None and value != [])
        return f"{type(node).__name__}({', '.join(f'{name}={_code(value)}' for name, value in fields)})"
    if isinstance(node, list):
        return f"[{', '.join(_code(part) for part in node if not _is_docstring(part))}]"
    return repr(node)


def _is_docstring(node: object) -> bool:
    """Whether a statement is a string alone: a docstring, or what is said of the name before it."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def closure(modules: Iterable[str], without: Sequence[str] = (), root: Path = ROOT) -> set[Path]:
    """The files of the repository that are read when these modules are imported, wherever the import statement is.

    without: patterns of files at which it ends. Files that hold nothing, such as most __init__.py, are left out.
    """
    found: set[Path] = set()
    names: set[tuple[str, ...]] = set()
    ahead: list[Path] = []
    for name in modules:
        ahead += (files := list(_files(tuple(name.split(".")), root)))
        if not files or name.split(".")[-1] not in (files[-1].stem, files[-1].parent.name):
            raise ValueError(f"no module {name}")
    while ahead:
        path = ahead.pop()
        inside = path.relative_to(root)
        if path in found or any(fnmatchcase(str(inside), pattern) for pattern in without):
            continue
        if code_digest(path.read_bytes()) != code_digest(b""):
            found.add(path)
        package = (PACKAGE, *inside.parts[:-1]) if inside.parts[0] in LINKED else inside.parts[:-1]
        new = _imports(path.read_bytes(), package) - names
        names |= new
        ahead += [file for name in new for file in _files(name, root)]
    return found


def _files(name: tuple[str, ...], root: Path) -> Iterator[Path]:
    """The file of a module and those of the packages that it is in; nothing for a module of others, or another thing's name."""
    parts = name[1:] if name[0] == PACKAGE and len(name) > 1 and name[1] in LINKED else name
    for length in range(1, len(parts) + 1):
        path = root.joinpath(*parts[:length])
        yield from (file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file())


@cache
def _imports(source: bytes, package: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """The names that a module of `package` imports; of `from a import b` this is a.b, which may be a module or not."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {tuple(alias.name.split(".")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            found |= {(*base, alias.name) for alias in node.names}
    return frozenset(found)
