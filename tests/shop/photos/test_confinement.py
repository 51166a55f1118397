"""A decoder that was taken over, behind each layer of its confinement and behind all of them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chat.ops.doctor.photo_state import evaluate_confinement
from chat.shop.photos import confinement
from chat.shop.photos.confinement import NOBODY
from chat.shop.photos.processor import COMMAND, layers_of_confinement
from meuble_project.env import ROOT

MALICIOUS = str(Path(__file__).with_name("malicious.py"))
SECRET = "s3cr3t-of-the-worker"
#: Runs the same, with the layers named in its first argument only.
SOME_LAYERS = f"""
import sys
sys.path.insert(0, {str(ROOT / "chat" / "shop" / "photos")!r})
import confinement
names, path, *arguments = sys.argv[1:]
module = confinement._imported(path)
module.prepare(*arguments)
for name in filter(None, names.split(",")):
    getattr(confinement, name)()
module.main(*arguments)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="confined on Linux only")


def test_layers_of_this_machine(capsys):
    """Said aloud: a machine without them tests less."""
    layers = layers_of_confinement()
    with capsys.disabled():
        sys.stdout.write(f"\nphoto decoders are confined here by: {', '.join(layers)}\n")

    assert {"limits", "user"} <= set(layers)
    assert {"landlock", "seccomp"} & set(layers), "a kernel with neither cannot be tested on"


@pytest.mark.parametrize(
    "layers, level",
    [
        (["landlock", "user", "limits", "seccomp"], "ok"),
        (["user", "limits", "seccomp"], "warning"),
        (["landlock", "user", "limits"], "warning"),
        (["user", "limits"], "wrong"),
        ([], "wrong"),
    ],
)
def test_doctor_tells_which_layers_hold(layers, level):
    assert evaluate_confinement(layers).level == level


@pytest.fixture(scope="module")
def server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def attempts(tmp_path, server):
    """What is tried; each succeeds without confinement (see the last test)."""
    kept = tmp_path / "kept"
    kept.write_text(SECRET)
    kept.chmod(0o644)
    tmp_path.chmod(0o777)
    return {
        "environ": [],
        "memory": [],
        "read": [str(kept)],
        "list": [str(tmp_path)],
        "write": [str(tmp_path / "planted")],
        "remove": [str(kept)],
        "connect": [server],
        "unix": [str(tmp_path / "socket")],
        "datagram": [server],
        "shell": [],
        "fork": [],
        "signal": [],
        "trace": [],
        "limits": [],
        "code": [],
        "unshare": [],
    }


def tried(command, *arguments):
    """Run it as ``processor`` does, from a process whose environment holds a secret."""
    starter = (
        "import subprocess, sys; sys.stdout.buffer.write(subprocess.run(sys.argv[1:], env={}, "
        "cwd='/', stdin=subprocess.DEVNULL, capture_output=True).stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-c", starter, *command, MALICIOUS, *arguments],
        env={"SECRET_KEY": SECRET},
        capture_output=True,
        check=True,
    )
    return json.loads(done.stdout)


def confined(*arguments):
    return tried(COMMAND[:-1], *arguments)


def behind(layers, *arguments):
    return tried((sys.executable, "-I", "-c", SOME_LAYERS, ",".join(layers)), *arguments)


ALL = "environ memory read list write remove connect unix datagram shell fork signal trace"


@pytest.mark.parametrize("what", [*ALL.split(), "limits", "code", "unshare", "root"])
def test_confined_decoder_reaches_nothing(what, attempts):
    if "seccomp" not in layers_of_confinement() and what in ("datagram", "unix", "code", "unshare"):
        pytest.skip("only seccomp forbids it")
    found = confined(what, *attempts.get(what, []))

    assert "got" not in found
    assert SECRET not in json.dumps(found)


@pytest.mark.parametrize("path", ["settings.py", "../db.sqlite3", "../.env"])
def test_confined_decoder_opens_no_file_of_the_project(path):
    assert "error" in confined("read", str(ROOT / "meuble_project" / path))


def test_confined_program_runs_and_threads_are_left_to_those_that_need_them():
    assert confined("nothing") == {"got": "free"}
    assert confined("thread") == {"got": "started"}


LAYERS = {
    "landlock": "environ memory read list write remove connect shell",
    "seccomp": f"{ALL} limits code unshare",
    "limit": "read list write connect unix datagram shell",
}


@pytest.mark.parametrize("layer", LAYERS)
def test_each_layer_holds_alone(layer, attempts):
    """So that a kernel without one of them, or a hole in one, leaves the others."""
    if layer != "limit" and layer not in layers_of_confinement():
        pytest.skip(f"this kernel has no {layer}")
    for what in LAYERS[layer].split():
        found = behind([layer], what, *attempts[what])
        assert "got" not in found, (layer, what, found)


def test_every_attempt_succeeds_without_confinement(attempts, tmp_path):
    """Else the tests above would hold nothing."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        listening.listen()
        del attempts["memory"]  # address 0 is mapped in no process
        for what in ("environ", *sorted(set(attempts) - {"environ", "remove"}), "remove"):
            if what in ("trace", "unshare") and os.geteuid() != 0:
                continue  # other lines of defence may stand there already
            found = behind([], what, *attempts[what])
            assert "got" in found, (what, found)
            if what == "environ":
                assert SECRET in found["got"]


def test_environment_of_the_worker_is_hidden_from_its_own_user():
    """``serve`` hides it before it starts anything: its file, which is private, is root's then."""
    as_root = os.geteuid() == 0
    python = "/usr/bin/python3" if as_root else sys.executable
    if not Path(python).exists():
        pytest.skip("no Python that another user may run")
    source = Path(confinement.__file__).read_text().partition("if __name__")[0]
    look = "print(os.stat(f'/proc/{os.getpid()}/environ').st_uid, flush=True)"
    user = {"user": NOBODY, "group": NOBODY} if as_root else {}
    done = subprocess.run(
        [python, "-I", "-c", f"{source}\n{look}\nassert hide_memory()\n{look}"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
        **user,
    )
    assert done.stdout.split() == [str(NOBODY if as_root else os.geteuid()), "0"]
