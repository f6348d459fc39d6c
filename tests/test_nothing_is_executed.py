"""Nothing that comes in is ever executed: no pickle, no eval, nothing that would run what a message or a file holds."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for room in ("schemas", "models", "streams") for path in (ROOT / room).rglob("*.py"))

#: Modules that make objects, or code, of bytes.
MODULES = {
    "pickle",
    "cPickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "code",
    "codeop",
    "yaml",
}
CALLS = {"eval", "exec", "compile", "__import__"}
#: Called on a module, whatever it is named.
METHODS = {"read_pickle", "to_pickle", "load_pickle", "run_path", "run_module", "literal_eval"}
#: ``importlib.import_module`` of a name that is no constant: with what, and why that is harmless.
IMPORTS = {
    "streams/cli/main.py": "the program's own commands",
    "models/engine/compiled.py": "a module of numba's, by its name",
}


def offences(tree: ast.AST) -> list[str]:
    """What in a module could execute what it reads."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [f"import {a.name}" for a in node.names if a.name.split(".")[0] in MODULES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            found.append(f"from {node.module}")
        elif isinstance(node, ast.Call):
            found += _of_call(node)
    return found


def _of_call(call: ast.Call) -> list[str]:
    found = []
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in CALLS or method in METHODS:
        found.append(name or method)
    for keyword in call.keywords:
        if keyword.arg == "allow_pickle" and not _is(keyword.value, False):
            found.append("allow_pickle")
        if keyword.arg == "trusted" and _is(keyword.value, True):
            found.append("trusted=True")
        if keyword.arg == "shell" and not _is(keyword.value, False):
            found.append("shell")
    if method in ("system", "popen") and isinstance(call.func, ast.Attribute) and _names(call.func.value, "os"):
        found.append(f"os.{method}")
    return found


def _is(value: ast.expr, constant: object) -> bool:
    return isinstance(value, ast.Constant) and value.value is constant


def _names(value: ast.expr, name: str) -> bool:
    return isinstance(value, ast.Name) and value.id == name


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from joblib import load", "import yaml", "eval(x)", "exec(x)", "np.load(f, allow_pickle=True)",
        "np.load(f, allow_pickle=p)", "skops.io.loads(d, trusted=True)", "pd.read_pickle(f)", "os.system(x)",
        "subprocess.run(x, shell=True)", "__import__(x)", "compile(x, 'f', 'exec')",
    ],
)  # fmt: skip
def test_what_would_execute_is_recognised(code: str) -> None:
    assert offences(ast.parse(code))


def test_nothing_in_the_program_executes_what_it_reads() -> None:
    found = {str(path.relative_to(ROOT)): offences(ast.parse(path.read_text())) for path in FILES}
    assert {name: what for name, what in found.items() if what} == {}


def test_modules_are_imported_by_name_only_where_the_names_are_our_own() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "import_module"
    }
    assert found == set(IMPORTS)
