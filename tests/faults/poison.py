"""Questions and texts that stop whoever reads them."""

from __future__ import annotations

import asyncio

from tests.faults.answers import question
from tests.faults.cluster import Cluster, WorkerProcess
from tests.faults.invariants import MAX_TRIES
from tests.faults.scenario import Strike
from tests.faults.scene import Scene, ask
from tests.faults.traps import WORDS

#: Three leases of 5 s, the time to notice, and the start of a worker after each death.
GIVEN_UP_S = 35
SERVED_S = 15
LOOK_S = 0.2
#: What once made an expression go back and forth.
SLOW_TEXTS = ("1.1.", "a.a.", "w.w.", "a-.", "75 075 ", "1.1.", "a@a.", "00 00 ")
SLOW_CHARS = 3_900


async def ask_fatal(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Ask questions that freeze or kill each worker that answers them (``traps.py``).

    ``settings["kinds"]``: which, all at once. Who dies is started anew, as systemd would do.
    """
    reviving = asyncio.create_task(_revive(scene.cluster), name="reviving")
    try:
        fatal = (_ask_one(scene, victim, WORDS[kind]) for kind in strike.settings["kinds"])
        await asyncio.gather(_serve_another(scene, victim), *fatal)
    finally:
        reviving.cancel()
        await asyncio.wait({reviving})
    if not reviving.cancelled():
        reviving.result()


async def _ask_one(scene: Scene, victim: WorkerProcess, word: str) -> None:
    """Wait for the end, or until the model was asked too often for there to be any."""
    guest = await scene.welcome([victim.address], 60)
    tab, asked = guest.tabs[0], guest.script[0][0]
    await tab.ask(asked.id, f"{asked.text} {word}")

    async def ended() -> None:
        while not tab.has_end(asked.id) and scene.plan.asked[asked.id] <= MAX_TRIES:
            await asyncio.sleep(LOOK_S)

    in_time = await scene.must(f"the question that {word} has an end", GIVEN_UP_S, ended())
    cut = any(line.reply_to == asked.id and line.interrupted for line in tab.view.lines)
    if in_time and not cut and asked.id not in tab.view.failed:
        scene.record.broken.append(f"the question that {word} ended neither as failed nor as cut")


async def _serve_another(scene: Scene, victim: WorkerProcess) -> None:
    """A customer comes while all that goes on."""
    await asyncio.sleep(1)
    healthy = scene.others(victim)[0]
    guest = await scene.welcome([healthy.address], 5)
    id_ = await ask(guest)
    tab = guest.tabs[0]
    await scene.must("another customer's answer", SERVED_S, tab.until(lambda: tab.has_end(id_)))


async def _revive(cluster: Cluster) -> None:
    replaced: set[str] = set()
    while True:
        for worker in cluster.workers:
            if worker.address and not worker.is_running and worker.name not in replaced:
                replaced.add(worker.name)
                await cluster.start_worker()
                break
        await asyncio.sleep(LOOK_S)


async def write_slow_text(scene: Scene, strike: Strike, victim: WorkerProcess) -> None:
    """Fill a conversation with what is slow to read, then have its prices looked at.

    ``settings["messages"]``: how many.
    """
    guest = await scene.welcome([victim.address], 1)
    tab, last = guest.tabs[0], guest.script[0][0]
    for n in range(strike.settings["messages"]):
        slow = SLOW_TEXTS[n % len(SLOW_TEXTS)]
        id_ = f"{last.id}s{n}"
        padding = (slow * SLOW_CHARS)[:SLOW_CHARS].strip()
        await tab.ask(id_, f"{question(id_, 1)} {padding}")
        await tab.accepted(id_)
    await ask(guest)
    await tab.until(lambda: not tab.view.waiting)
    # "priced" is no numbered answer: what the guard makes of a price depends on the conversation.
    scene.plan.add("say", text="Il coûte 499 €.", match=PRICE)
    await tab.ask(f"{last.id}price", PRICE)
    await tab.answered(f"{last.id}price")


PRICE = "Combien coûte-t-il ?"
