"""What goes around the runtime (``chat/core/runtime.py``), found in parsed source files. Pure.

``patches``: something else is put in the place of one of our names. ``state``: a module keeps
state. ``assigned_settings``: a setting is assigned after the start. Each returns what it found.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("chat", "server", "meuble_project", "devtools")
PARTS = ("chat.core.runtime.Part", "chat.core.runtime.LoopPart")

#: Memories of pure functions, bounded.
MEMOS = {"functools.lru_cache", "chat.core.text.FoldingTable"}
#: Whatever these return is never changed, or is a constant by convention: see ``_changes``.
STEADY = {
    *(
        "dict",
        "frozenset",
        "len",
        "list",
        "object",
        "range",
        "set",
        "sorted",
        "str",
        "tuple",
        "type",
    ),
    *("dict.fromkeys", "hashlib.sha1", "ipaddress.ip_network", "pathlib.Path", "re.compile"),
    *("re.findall", "str.maketrans", "typing.NewType", "typing.TypeVar", "typing.get_args"),
    *("datetime.date", "datetime.datetime", "datetime.time", "datetime.timedelta"),
    *("limits.RateLimitItemPerDay", "limits.RateLimitItemPerHour", "zoneinfo.ZoneInfo"),
    *("logging.getLogger", "structlog.get_logger", "contextvars.ContextVar"),
    *("aiohttp.ClientWSTimeout", "channels.db.database_sync_to_async"),
    *("channels.routing.URLRouter", "django.urls.path", "django.urls.re_path"),
    *("django.core.signing.Signer", "django.core.signing.TimestampSigner"),
    *("django.db.models.Q", "django.template.Library"),
}
#: Methods whose results are text, numbers or views.
STEADY_METHODS = {
    *("encode", "format", "glob", "hexdigest", "join", "partition", "read_bytes", "read_text"),
    *("removeprefix", "removesuffix", "replace", "split", "startswith", "strip", "with_name"),
    *("get_field", "items", "keys", "values"),
}
STEADY_BASES = {"NamedTuple", "Enum", "StrEnum", "IntEnum", "IntFlag"}
STEADY_RESULTS = {
    "Callable",
    "Mapping",
    "Path",
    "Pattern",
    "bytes",
    "dict",
    "frozenset",
    "int",
    "list",
}
STEADY_RESULTS |= {"set", "str", "tuple"}
CHANGING_METHODS = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "insert", "move_to_end", "pop"),
    *("popitem", "popleft", "remove", "setdefault", "sort", "update"),
}
SETTERS = {"setattr", "delattr", "setitem", "delitem"}
LOADERS = {"__import__", "import_module", "import_string"}
MOCKS = {"mock", "unittest.mock", "pytest_mock"}


@dataclass(frozen=True, slots=True)
class Finding:
    module: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.what}"


class Sources(Mapping[str, ast.Module]):
    """Parsed files by module. They know what a name in one of them stands for."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self._trees = trees
        self.nodes = {module: list(_nodes(tree)) for module, tree in trees.items()}
        self._imports = {module: dict(_imports(nodes)) for module, nodes in self.nodes.items()}

    @classmethod
    def below(cls, *folders: str) -> Sources:
        paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
        kept = [path for path in paths if "migrations" not in path.parts]
        return cls({_module_of(path): ast.parse(path.read_text(), str(path)) for path in kept})

    def __getitem__(self, module: str) -> ast.Module:
        return self._trees[module]

    def __iter__(self) -> Iterator[str]:
        return iter(self._trees)

    def __len__(self) -> int:
        return len(self._trees)

    def name(self, module: str, node: ast.AST) -> str:
        """Return the dotted name of a name or an attribute, "" of anything else.

        ``errors.Busy`` after ``from chat.core import errors`` is "chat.core.errors.Busy"; a name
        not imported is itself.
        """
        match node:
            case ast.Name(id=name):
                return self._imports[module].get(name, name)
            case ast.Attribute(value=value, attr=attr):
                holder = self.name(module, value)
                return f"{holder}.{attr}" if holder else ""
            case ast.Subscript(value=value):  # Part[Store]
                return self.name(module, value)
        return ""

    def definition(self, module: str, name: str) -> tuple[str, ast.stmt] | None:
        """Return the module and the statement that define a class or function, if it is ours."""
        while True:
            holder, _, last = (name if "." in name else f"{module}.{name}").rpartition(".")
            if holder not in self._trees:
                return None
            for node in self._trees[holder].body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == last:
                    return holder, node
            if last not in self._imports[holder]:
                return None
            module, name = holder, self._imports[holder][last]


# Patches


def patches(sources: Sources) -> list[Finding]:
    """Return where a name of ours is replaced, and where mocks are imported."""
    return [
        Finding(module, node.lineno, what)
        for module in sources
        for node in sources.nodes[module]
        if (what := _patch(sources, module, node))
    ]


def _patch(sources: Sources, module: str, node: ast.stmt | ast.expr) -> str:
    if isinstance(node, ast.Call) and _sets(node) and _is_ours(sources, module, node.args[0]):
        return f"patches {ast.unparse(node.args[0])}"
    if isinstance(node, ast.Import | ast.ImportFrom):
        names = {alias.name for alias in node.names} | {getattr(node, "module", "")}
        return "imports mocks" if names & MOCKS else ""
    for target in _targets(node):
        if isinstance(target, ast.Attribute) and _is_ours(sources, module, target.value):
            return f"assigns {ast.unparse(target)}"
    return ""


def _is_ours(sources: Sources, module: str, node: ast.expr) -> bool:
    """Whether this is a module, class or object of ours, or text that names one."""
    match node:
        case ast.Constant(value=str(text)):
            return _is_our_name(text)
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return _is_our_name(text)
        case ast.Call(func=func, args=[first, *_]) if _last(func) in LOADERS:
            return _is_ours(sources, module, first)
        case ast.Call(func=ast.Attribute(value=value, attr="get"), args=[]):  # STORE.get()
            return _is_ours(sources, module, value)
    return _is_our_name(sources.name(module, node))


def _is_our_name(name: str) -> bool:
    return "." in name and name.split(".")[0] in OURS


# State


def state(sources: Sources, below: str) -> list[Finding]:
    """Return what modules of this package keep from one call to the next, beside parts and
    bounded memories.
    """
    modules = [module for module in sources if module.startswith(f"{below}.")]
    return [found for module in modules for found in _state(sources, module)]


def _state(sources: Sources, module: str) -> Iterator[Finding]:
    tree = sources[module]
    for node in sources.nodes[module]:
        if what := _keeps(sources, module, node):
            yield Finding(module, node.lineno, what)
    changed = {_changes(node) for node in sources.nodes[module]}
    if changed != {""}:
        changed -= _names_in_functions(tree)
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            names = [one.id for one in _targets(node) if isinstance(one, ast.Name)]
            why = _varies(sources, module, node.value) or ("changed" if changed & {*names} else "")
            if why and names != ["__all__"]:
                yield Finding(module, node.lineno, f"{', '.join(names)}: {why}")
        elif isinstance(node, ast.ClassDef):
            for value in (one.value for one in node.body if isinstance(one, ast.Assign)):
                if _is_empty(value):
                    yield Finding(module, value.lineno, f"{node.name}: {ast.unparse(value)}")


def _keeps(sources: Sources, module: str, node: ast.stmt | ast.expr) -> str:
    if isinstance(node, ast.Global):
        return f"global {', '.join(node.names)}"
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return "".join(_cached(sources, module, one, node) for one in node.decorator_list)
    if isinstance(node, ast.Attribute) and node.attr == "cache_clear":
        return "cache_clear"
    name = sources.name(module, ast.Name(_changes(node)))
    return f"changes {name}" if _is_our_name(name) and name not in sources else ""


def _cached(
    sources: Sources,
    module: str,
    decorator: ast.expr,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
) -> str:
    call = decorator if isinstance(decorator, ast.Call) else None
    name = sources.name(module, call.func if call else decorator)
    if name not in {"functools.cache", "functools.lru_cache"}:
        return ""
    if not ast.unparse(function.args):
        return f"{function.name} is cached and takes nothing: it is a part"
    is_bounded = name == "functools.lru_cache" and "None" not in ast.unparse(decorator)
    return "" if is_bounded else f"{function.name} is cached without a bound"


def _varies(sources: Sources, module: str, value: ast.expr) -> str:
    """Return what of a module's value may change, "" for nothing."""
    if _is_empty(value):
        return f"{ast.unparse(value)} is made to be filled"
    match value:
        case ast.Call() if not _is_steady_call(sources, module, value):
            return f"{ast.unparse(value.func)}(…)"
        case ast.Call() | ast.Lambda():
            return ""
        case ast.DictComp(key=one, value=other):
            inner: Iterable[ast.AST] = (one, other)
        case ast.ListComp(elt=elt) | ast.SetComp(elt=elt) | ast.GeneratorExp(elt=elt):
            inner = (elt,)
        case _:
            inner = ast.iter_child_nodes(value)
    parts = (part for part in inner if isinstance(part, ast.expr))
    return next(filter(None, (_varies(sources, module, part) for part in parts)), "")


def _is_steady_call(sources: Sources, module: str, call: ast.Call) -> bool:
    func = call.func.func if isinstance(call.func, ast.Call) else call.func  # lru_cache(16)(…)
    name = sources.name(module, func)
    if name in {*STEADY, *MEMOS, *PARTS}:
        return True
    if isinstance(func, ast.Attribute) and func.attr in STEADY_METHODS:
        return True
    found = sources.definition(module, name)
    return found is not None and _is_steady(sources, *found)


def _is_steady(sources: Sources, module: str, node: ast.stmt) -> bool:
    """Whether nobody changes what this class or function of ours makes."""
    match node:
        case ast.ClassDef(bases=bases, decorator_list=decorators):
            return any("frozen=True" in ast.unparse(one) for one in decorators) or any(
                _last(base) in STEADY_BASES for base in bases
            )
        case ast.FunctionDef(returns=ast.expr() as returns):
            made = returns.value if isinstance(returns, ast.Subscript) else returns
            if _last(made) in STEADY_RESULTS:
                return True
            found = sources.definition(module, sources.name(module, made))
            return found is not None and _is_steady(sources, *found)
    return False


def _is_empty(node: ast.expr) -> bool:
    match node:
        case ast.Dict(keys=[]) | ast.List(elts=[]):
            return True
        case ast.Call(func=ast.Name(id="dict" | "list" | "set"), args=[], keywords=[]):
            return True
    return False


def _changes(node: ast.AST) -> str:
    """Return the name of the container that this changes, "" for none."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)):
            return name if method in CHANGING_METHODS else ""
    for target in _targets(node):
        match target:
            case ast.Subscript(value=ast.Name(id=name)):
                return name
    return ""


def _names_in_functions(tree: ast.Module) -> set[str]:
    """Return the arguments and variables of the module's functions."""
    functions = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
    inner = [node for function in functions for node in ast.walk(function)]
    stored = {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {node.arg for node in inner if isinstance(node, ast.arg)}


# Settings


def assigned_settings(sources: Sources) -> list[Finding]:
    """Return where the product or a tool assigns, changes or removes a setting of Django."""
    return [
        Finding(module, node.lineno, what)
        for module in sources
        if module.split(".")[0] in OURS
        for node in sources.nodes[module]
        if (what := _assigns_setting(sources, module, node))
    ]


def _assigns_setting(sources: Sources, module: str, node: ast.stmt | ast.expr) -> str:
    def is_setting(one: ast.expr) -> bool:
        return sources.name(module, one).startswith("django.conf.settings")

    if isinstance(node, ast.Call) and _sets(node) and is_setting(node.args[0]):
        return ast.unparse(node)
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django.test"):
        return "imports django.test"
    for target in _targets(node):
        if isinstance(target, ast.Attribute | ast.Subscript) and is_setting(target.value):
            return f"assigns {ast.unparse(target)}"
    return ""


# Syntax


def _nodes(tree: ast.Module) -> Iterator[ast.stmt | ast.expr]:
    """Yield the statements, calls and attributes of a file, which are what is looked at."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.stmt | ast.Call | ast.Attribute):
            yield node
        for value in vars(node).values():
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif isinstance(value, list):
                waiting.extend(one for one in value if isinstance(one, ast.AST))


def _sets(call: ast.Call) -> bool:
    return bool(call.args) and _last(call.func) in SETTERS


def _targets(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=targets) | ast.Delete(targets=targets):
            pairs = (one.elts if isinstance(one, ast.Tuple) else [one] for one in targets)
            return [one for pair in pairs for one in pair]
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            return [target]
    return []


def _last(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _imports(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _module_of(path: Path) -> str:
    named = path.relative_to(ROOT).with_suffix("")
    return ".".join(named.parts).removesuffix(".__init__")
