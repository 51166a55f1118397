from __future__ import annotations

import io

from django.core.management import call_command

from chat.management.commands.draw_catalogue import FOLDER


def test_the_drawings_in_the_tree_are_those_that_the_program_makes(tmp_path):
    call_command("draw_catalogue", into=tmp_path, stdout=io.StringIO())

    made = {path.name: path.read_text() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_text() for path in FOLDER.glob("*.svg")}
    assert made == kept
