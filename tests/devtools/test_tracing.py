"""The tracer, with a few lines of code that are written for it."""

from __future__ import annotations

import asyncio
import pkgutil
import runpy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from devtools.tracing.tracer import Trace, Tracer
from devtools.tracing.turns import Traced, as_text, over_limits
from devtools.tracing.worker import BACKGROUND, product_packages

Load = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def tracer(tmp_path: Path) -> Tracer:
    return Tracer(tmp_path, {"shop"}, {"shop.clock:Clock.tick"})


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Write a module of made-up code, and return what it defines."""

    def write(path: str, code: str) -> dict[str, Any]:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(code))
        return runpy.run_path(str(file))

    return write


@contextmanager
def traced(tracer: Tracer) -> Iterator[Trace]:
    trace = tracer.trace = Trace()
    tracer.install()
    try:
        yield trace
    finally:
        tracer.uninstall()


def test_functions_are_counted_by_file_in_the_order_of_their_first_call(tracer, load):
    sell = load(
        "shop/till.py",
        """
        def weigh(): pass
        def sell():
            weigh()
            weigh()
        """,
    )["sell"]
    ask = load("shop/door/bell.py", "def ask(then): then()")["ask"]

    with traced(tracer) as trace:
        ask(sell)

    assert list(trace.functions) == ["shop/door/bell.py", "shop/till.py"]
    assert trace.functions["shop/till.py"] == {"sell": 1, "weigh": 2}
    assert trace.files == 2
    assert trace.function_count == 3
    assert trace.moves == 2, "into the door, and from there to the till; none within the till"


def test_equal_functions_of_two_files_are_two(tracer, load):
    here = load("shop/here.py", "def greet(): pass")["greet"]
    there = load("shop/there.py", "def greet(): pass")["greet"]

    with traced(tracer) as trace:
        here()
        there()

    assert trace.functions == {"shop/here.py": {"greet": 1}, "shop/there.py": {"greet": 1}}


def test_generator_is_counted_once_however_often_it_goes_on(tracer, load):
    shelf = load(
        "shop/shelf.py",
        """
        def chairs():
            try:
                yield 1
                yield 2
            except KeyError:
                yield 3
        """,
    )["chairs"]

    with traced(tracer) as trace:
        chairs = shelf()
        assert next(chairs) == 1
        assert next(chairs) == 2
        assert chairs.throw(KeyError()) == 3

    assert trace.functions == {"shop/shelf.py": {"chairs": 1}}
    assert trace.moves == 1


def test_coroutine_is_counted_once_however_often_it_waits(tracer, load):
    code = load(
        "shop/queue.py",
        """
        import asyncio
        async def turns():
            for turn in range(2):
                await asyncio.sleep(0)
                yield turn
        async def wait():
            async for turn in turns():
                await asyncio.sleep(0)
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.sleep(0)
        """,
    )

    async def cancel_late() -> None:
        waiting = asyncio.create_task(code["wait"]())
        for _ in range(20):
            await asyncio.sleep(0)
        waiting.cancel()
        await waiting

    with traced(tracer) as trace:
        asyncio.run(cancel_late())

    assert trace.functions == {"shop/queue.py": {"wait": 1, "turns": 1}}


def test_generator_that_is_never_begun_is_not_counted(tracer, load):
    chairs = load("shop/shelf.py", "def chairs(): yield 1")["chairs"]

    with traced(tracer) as trace:
        chairs()
        with pytest.raises(KeyError):
            chairs().throw(KeyError())

    assert trace == Trace()


def test_background_and_what_it_begins_are_left_out(tracer, load):
    code = load(
        "shop/clock.py",
        """
        import asyncio
        def ring(): pass
        async def sweep(): ring()
        class Clock:
            async def tick(self):
                ring()
                await asyncio.create_task(sweep())
                rung = asyncio.Event()
                asyncio.get_running_loop().call_soon(lambda: (ring(), rung.set()))
                await rung.wait()
        async def serve():
            await asyncio.create_task(Clock().tick())
            await sweep()
        """,
    )

    with traced(tracer) as trace:
        asyncio.run(code["serve"]())

    assert trace.functions == {"shop/clock.py": {"serve": 1, "sweep": 1, "ring": 1}}
    assert tracer.background_called == {"shop.clock:Clock.tick"}


def test_only_the_function_of_that_file_is_background(tracer, load):
    clock = load("shop/other.py", "class Clock:\n    def tick(self): pass")["Clock"]

    with traced(tracer) as trace:
        clock().tick()

    assert trace.functions == {"shop/other.py": {"Clock.tick": 1}}
    assert tracer.background_called == set()


def test_background_is_noticed_before_anything_is_traced(tracer, load):
    clock = load("shop/clock.py", "class Clock:\n    async def tick(self): pass")["Clock"]

    with traced(tracer):
        tracer.trace = None
        asyncio.run(clock().tick())

    assert tracer.background_called == {"shop.clock:Clock.tick"}


def test_other_thread_is_counted(tracer, load):
    pack = load("shop/cellar.py", "def pack(): pass")["pack"]

    with traced(tracer) as trace:
        thread = threading.Thread(target=pack)
        thread.start()
        thread.join()

    assert trace.functions == {"shop/cellar.py": {"pack": 1}}
    assert trace.moves == 1, "nobody in the product called it"


def test_libraries_and_tools_are_left_out_also_as_callers(tracer, load):
    calls = "def call(then, *others): then(*others)"
    library = load(".venv/lib/python3/site-packages/shop/retry.py", calls)["call"]
    tool = load("devtools/bench.py", calls)["call"]
    sell = load(
        "shop/till.py",
        """
        def weigh(): pass
        def sell(retry): retry(weigh)
        """,
    )["sell"]

    with traced(tracer) as trace:
        tool(sell, library)

    assert trace.functions == {"shop/till.py": {"sell": 1, "weigh": 1}}
    assert trace.moves == 1, "into the till; back to it through a library is none"


def test_modules_and_comprehensions_are_no_functions(tracer, load):
    with traced(tracer) as trace:
        prices = load(
            "shop/prices.py",
            """
            twice = lambda price: 2 * price
            def prices():
                return [{twice(n) for n in range(2)}, sum(n for n in range(2))]
            """,
        )["prices"]
        prices()

    assert trace.functions == {"shop/prices.py": {"prices": 1, "<lambda>": 2}}


def test_nothing_is_noted_while_no_trace_is_set(tracer, load):
    sell = load("shop/till.py", "def sell(): pass")["sell"]

    with traced(tracer) as trace:
        tracer.trace = None
        sell()

    assert trace == Trace()


def test_trace_that_follows_another_adds_up():
    opening = Trace({"a.py": {"f": 1}}, moves=1)
    message = Trace({"b.py": {"g": 1}, "a.py": {"f": 2, "h": 1}}, moves=3)

    whole = opening.followed_by(message)

    assert whole == Trace({"a.py": {"f": 3, "h": 1}, "b.py": {"g": 1}}, moves=4)
    assert opening == Trace({"a.py": {"f": 1}}, moves=1)


# What is measured with it


@pytest.mark.parametrize("name", sorted(BACKGROUND))
def test_background_of_the_product_has_these_names(name):
    assert callable(pkgutil.resolve_name(name)), "renamed: see BACKGROUND"


def test_product_is_all_packages_but_tools():
    assert product_packages() >= {"chat", "meuble_project"}
    assert not product_packages() & {"devtools", "tests"}


FOUND = {
    "greeting": Traced(
        opening=Trace({"chat/conversations/realtime/pubsub.py": {"listen": 1}}, 1),
        message=Trace({"chat/turn.py": {"take_turn": 1, "tell": 3}}, 7),
    ),
    "ticket": Traced(
        opening=Trace(),
        message=Trace({"chat/turn.py": {"take_turn": 1}, "chat/guide.py": {"note": 1}}, 2),
    ),
}


def test_text_names_files_and_functions_when_asked_for():
    short = as_text(FOUND, with_functions=False).splitlines()
    long = as_text(FOUND, with_functions=True).splitlines()

    assert short == [
        "greeting: 1 files, 2 functions, 7 moves between files "
        "(2 files with the opening of its socket)",
        "ticket: 2 files, 2 functions, 2 moves between files "
        "(2 files with the opening of its socket)",
    ]
    assert [line for line in long if line not in short] == [
        "    1 chat/turn.py: take_turn, tell",
        "    1 chat/turn.py: take_turn",
        "    2 chat/guide.py: note",
    ]


@pytest.mark.parametrize(
    ("limits", "over"),
    [
        ([1, 2], []),
        ([0, 2], ["greeting: 1 files, more than 0"]),
        ([1, 1], ["ticket: 2 files, more than 1"]),
    ],
)
def test_message_is_held_against_the_limit_of_its_scenario(limits, over):
    assert over_limits(FOUND, limits) == over
