# Copyright: (c) 2026, wst.backup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the architecture that an import or a name can break, checked on the syntax tree.

- module_utils (host) and plugin_utils (control node) never import each other; modules import no plugin_utils, actions
  no module_utils.
- Imports point downwards: foundations import no concern's package, no package imports a module, nothing is circular.
- On the host, only ``_platform`` knows which operating system it is on (the control node is always POSIX).
- What reaches the host needs the standard library and Ansible alone; psycopg is imported inside ``_pg``, Azure's SDK
  inside ``_offsite``, both in functions.
- No shell, and nothing of AnsibleModule that does not work on Windows.
- Package ``__init__.py`` files are empty; every file names its licence.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tools.paths import ROOT, tracked_files

PREFIX = "ansible_collections.wst.backup."
MODULE_UTILS = PREFIX + "plugins.module_utils"
PLUGIN_UTILS = PREFIX + "plugins.plugin_utils"

# Beside the seam: the control node, which is always POSIX, and the runner that it sends ahead of module_utils.
KNOWS_THE_SYSTEM = ("plugins/module_utils/_platform/", "plugins/plugin_utils/", "plugins/action/")
SYSTEM_MODULES = frozenset({"msvcrt", "ctypes", "winreg", "_winapi", "fcntl", "pwd", "grp", "termios", "resource"})
SYSTEM_NAMES = frozenset({("os", "name"), ("sys", "platform"), ("os", "uname"), ("sys", "getwindowsversion")})
# It queries WMI on Windows from Python 3.12 on, which hangs or crashes where WMI is off.
FORBIDDEN_MODULES = frozenset({"platform"})
NOT_ON_WINDOWS = frozenset({"run_command", "atomic_move", "tmpdir", "add_cleanup_file"})
# Who talks to the database, and who reports whether psycopg is there at all.
MAY_NEED_PSYCOPG = ("plugins/module_utils/_pg/", "plugins/module_utils/_host/")
MAY_NEED_AZURE = ("plugins/module_utils/_offsite/",)  # who talks to Azure Blob
LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"


@dataclass(frozen=True)
class Import:
    """One imported module, where, and whether at the file's top level."""

    name: str
    line: int
    top_level: bool


@dataclass(frozen=True)
class Source:
    """A parsed file of the collection."""

    path: str
    text: str
    tree: ast.Module

    @property
    def module(self) -> str:
        """Its dotted name."""
        parts = PurePosixPath(self.path).with_suffix("").parts
        return PREFIX + ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def main() -> int:
    """Report every broken rule; 0 when there is none, 2 when there was nothing to check."""
    sources = list(read_sources(ROOT))
    if not sources:
        print("no Python file under plugins/")
        return 2
    problems = check(sources)
    print(*problems, f"{len(sources)} files, {len(problems)} problems", sep="\n")
    return 1 if problems else 0


def read_sources(root: Path) -> Iterator[Source]:
    """The tracked Python files under plugins/, parsed."""
    for path in tracked_files(root=root):
        if path.suffix == ".py" and path.parts[0] == "plugins":
            text = (root / path).read_text(encoding="utf-8")
            yield Source(path.as_posix(), text, ast.parse(text, filename=str(path)))


def check(sources: list[Source]) -> list[str]:
    """Every broken rule as ``path:line: what``, sorted."""
    problems: list[str] = []
    graph: dict[str, set[str]] = {}
    known = {source.module for source in sources}
    for source in sources:
        imports = list(imports_of(source))
        problems += whole_file_problems(source)
        problems += import_problems(source, imports)
        problems += name_problems(source)
        graph[source.module] = {name for item in imports if (name := owner(item.name, known)) and name != source.module}
    problems += [f"circular imports: {' -> '.join(cycle)}" for cycle in cycles(graph)]
    return sorted(problems)


def imports_of(source: Source) -> Iterator[Import]:
    """All imports of a file, those inside functions too; a relative one by its full name."""
    top = {id(node) for node in top_level_nodes(source.tree)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = source.module.split(".")[: -node.level]
                base = ".".join([*package, base] if base else package)
            yield from (Import(f"{base}.{alias.name}", node.lineno, id(node) in top) for alias in node.names)


def top_level_nodes(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the file is imported, but for those inside functions and ``if TYPE_CHECKING``."""
    pending: list[ast.stmt] = list(tree.body)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            pending += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]


def whole_file_problems(source: Source) -> list[str]:
    """Rules on a file as a whole."""
    if PurePosixPath(source.path).name == "__init__.py":
        return [f"{source.path}:1: package files stay empty; a facade is a module with a name"] if source.text else []
    return [] if LICENCE in source.text[:600] else [f"{source.path}:1: does not say '{LICENCE}'"]


def import_problems(source: Source, imports: list[Import]) -> list[str]:
    """Rules on what a file may import."""
    found = []
    for item in imports:
        reason = import_problem(source.path, item)
        if reason:
            found.append(f"{source.path}:{item.line}: imports {item.name}: {reason}")
    return found


def import_problem(path: str, item: Import) -> str:
    """Why a file may not import this, or nothing."""
    root = item.name.split(".")[0]
    if root in FORBIDDEN_MODULES:
        return "crashes on some Windows hosts"
    if root in SYSTEM_MODULES and not path.startswith(KNOWS_THE_SYSTEM):
        return "only _platform knows the operating system"
    on_host = path.startswith(("plugins/module_utils/", "plugins/modules/"))
    if on_host and item.name.startswith(PLUGIN_UTILS):
        return "that is code of the control node"
    if path.startswith(("plugins/plugin_utils/", "plugins/action/")) and item.name.startswith(MODULE_UTILS):
        return "that is code of the host"
    is_library = path.startswith(("plugins/module_utils/", "plugins/plugin_utils/"))
    if is_library and item.name.startswith((PREFIX + "plugins.modules", PREFIX + "plugins.action")):
        return "that points upwards"
    if is_foundation(path) and item.name.startswith(MODULE_UTILS) and is_concern(item.name):
        return "foundations import no concern's package"
    return foreign_problem(path, item) if on_host else ""


def foreign_problem(path: str, item: Import) -> str:
    """Why a file that reaches the host may not need this package, or nothing."""
    root = item.name.split(".")[0]
    if root == "psycopg":
        return "" if path.startswith(MAY_NEED_PSYCOPG) and not item.top_level else "only inside functions of _pg"
    if root == "azure":
        return "" if path.startswith(MAY_NEED_AZURE) and not item.top_level else "only inside functions of _offsite"
    if root == "ansible":
        return "" if item.name.startswith("ansible.module_utils.") else "only ansible.module_utils reaches the host"
    return "" if root in sys.stdlib_module_names or root == "ansible_collections" else "not in the standard library"


MODULE_UTILS_DIRECTORY = ROOT / "plugins" / "module_utils"
CONCERNS = {path.parent.name for path in MODULE_UTILS_DIRECTORY.glob("*/__init__.py")} - {"_platform"}


def is_foundation(path: str) -> bool:
    """A file of module_utils outside of the concerns' packages; the edge and facades may look down on everything."""
    parts = PurePosixPath(path).parts
    return parts[:2] == ("plugins", "module_utils") and parts[2] not in CONCERNS and parts[2] != "_edge.py"


def is_concern(name: str) -> bool:
    """Whether a module of ours belongs to a concern's package."""
    return name[len(MODULE_UTILS) + 1 :].split(".")[0] in CONCERNS


def name_problems(source: Source) -> list[str]:
    """Rules on names that a file may mention."""
    found = []
    for node in ast.walk(source.tree):
        reason = name_problem(source.path, node)
        if reason:
            found.append(f"{source.path}:{getattr(node, 'lineno', 1)}: {reason}")
    return found


def name_problem(path: str, node: ast.AST) -> str:
    """Why a file may not say this, or nothing."""
    if isinstance(node, ast.Attribute):
        full_name = (node.value.id, node.attr) if isinstance(node.value, ast.Name) else ("", node.attr)
        if full_name in SYSTEM_NAMES and not path.startswith(KNOWS_THE_SYSTEM):
            return f"{'.'.join(full_name)}: only _platform knows the operating system"
        on_host = path.startswith(("plugins/module_utils/", "plugins/modules/"))
        if on_host and node.attr in NOT_ON_WINDOWS and "module" in ast.unparse(node.value).lower():
            return f"AnsibleModule.{node.attr} does not work on Windows: use _process and _fs"
    if isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == "shell" and isinstance(keyword.value, ast.Constant) and keyword.value.value:
                return "shell=True: commands are argv lists"
    return ""


def owner(name: str, known: set[str]) -> str:
    """The module of ours that an imported name lives in, or nothing."""
    while name.startswith(PREFIX):
        if name in known:
            return name
        name = name.rpartition(".")[0]
    return ""


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Circular imports, each once, told by the files' names."""
    found: dict[frozenset[str], list[str]] = {}
    done: set[str] = set()

    def visit(name: str, trail: list[str]) -> None:
        if name in trail:
            cycle = trail[trail.index(name) :]
            found.setdefault(frozenset(cycle), [part[len(PREFIX) :] for part in [*cycle, name]])
        elif name not in done:
            for below in sorted(graph.get(name, ())):
                visit(below, [*trail, name])
            done.add(name)

    for name in sorted(graph):
        visit(name, [])
    return list(found.values())


if __name__ == "__main__":
    sys.exit(main())
