"""The scenarios of the suite: every fault that the specification promises to survive."""

from __future__ import annotations

from tests.faults.scenario import Scenario, Strike, Then, What

_PATIENT = {Then.WAIT: 3, Then.GO_ON: 1}
#: Long answers, so that whoever is struck is struck in the middle of one.
_LONG = (18, 30)

SCENARIOS = [
    Scenario(
        name="two tabs at two workers",
        visitors=6,
        questions=4,
        habits={Then.WAIT: 3, Then.GO_ON: 4, Then.STOP: 1},
    ),
    Scenario(name="the same message to two workers", habits={Then.TWIN: 4, Then.GO_ON: 1}),
    Scenario(
        name="clients cut in mid-answer",
        habits={Then.CUT: 4, Then.STOP: 1, Then.GO_ON: 1},
        strikes=(Strike(what=What.RECONNECT, after=80), Strike(what=What.RECONNECT, after=40)),
    ),
    Scenario(
        name="worker killed",
        visitors=14,
        tabs=1,
        questions=2,
        words=_LONG,
        strikes=(Strike(what=What.KILL, after=300),),
    ),
    Scenario(
        name="worker frozen past its lease",
        strikes=(Strike(what=What.FREEZE, lasts_s=6.5),),
        words=_LONG,
        questions=2,
    ),
    Scenario(name="worker stopped politely", strikes=(Strike(what=What.TERM),), words=_LONG),
    Scenario(
        name="worker stopped before its answers ended",
        visitors=6,
        tabs=1,
        questions=1,
        words=(70, 80),
        habits=_PATIENT,
        workers=3,
        strikes=(Strike(what=What.HAND_OVER, after=20),),
        environ=(("SHUTDOWN_GRACE_S", "0.5"),),
    ),
    Scenario(
        name="rolling restart under 50 conversations",
        visitors=50,
        tabs=1,
        questions=2,
        words=_LONG,
        habits=_PATIENT,
        strikes=(Strike(what=What.ROLL, after=100),),
    ),
    Scenario(
        name="Redis killed", strikes=(Strike(what=What.REDIS_KILL, lasts_s=2.0),), words=_LONG
    ),
    Scenario(
        name="Redis killed and back at once",
        strikes=(Strike(what=What.REDIS_KILL), Strike(what=What.REDIS_KILL, after=60)),
    ),
    Scenario(
        name="Redis frozen", strikes=(Strike(what=What.REDIS_FREEZE, lasts_s=4.0),), words=_LONG
    ),
    Scenario(
        name="Redis full, then read-only",
        strikes=(
            Strike(what=What.REDIS_FULL, lasts_s=1.0),
            Strike(what=What.REDIS_REPLICA, lasts_s=1.0),
            Strike(what=What.REDIS_ALONE, lasts_s=1.0),
        ),
    ),
    Scenario(
        name="Redis away at start",
        redis_at_start=False,
        strikes=(Strike(what=What.REDIS_LATE, lasts_s=1.5),),
    ),
    Scenario(
        name="Redis away, unknown visitors",
        visitors=12,
        tabs=1,
        questions=4,
        habits={Then.GO_ON: 1, Then.WAIT: 1},
        strikes=(Strike(what=What.REDIS_KILL, lasts_s=3.0, cut_after_s=1.0),),
    ),
    Scenario(
        name="worker killed when Redis is just back",
        strikes=(Strike(what=What.REDIS_FREEZE, lasts_s=2.0), Strike(what=What.KILL, after=10)),
        words=_LONG,
        questions=2,
    ),
    Scenario(
        name="model fails",
        strikes=tuple(
            Strike(what=What.MODEL, after=12, settings={"kind": kind, **more})
            for kind, more in (
                ("error", {"status": 500, "times": 4}),
                ("rate_limit", {"times": 3}),
                ("cut", {"after": 4, "times": 3}),
                ("garbage", {"after": 2, "times": 2}),
                ("hang", {"times": 2}),
                ("hang_midstream", {"after": 3, "times": 1}),
                ("html", {"times": 2}),
                ("refuse", {"times": 2}),
            )
        ),
        environ=(("CHAT_TIMEOUT_S", "3"),),
    ),
    Scenario(
        name="answers longer than a lease",
        visitors=6,
        tabs=1,
        questions=1,
        words=(150, 160),
        habits=_PATIENT,
    ),
    Scenario(
        name="erasure during answers",
        erasers=5,
        strikes=(Strike(what=What.RECONNECT, after=60),),
    ),
    Scenario(
        name="erasure with a frozen worker",
        visitors=6,
        erasers=6,
        questions=1,
        words=(60, 80),
        habits=_PATIENT,
        strikes=(Strike(what=What.FREEZE, after=20, lasts_s=4.0),),
    ),
    Scenario(
        name="erasure while Redis is away",
        erasers=6,
        questions=2,
        strikes=(Strike(what=What.REDIS_KILL, after=20, lasts_s=3.0),),
    ),
    Scenario(
        name="clients that never read",
        visitors=4,
        questions=2,
        strikes=(Strike(what=What.SLOW, settings={"clients": 4, "syncs": 400, "messages": 12}),),
    ),
    Scenario(
        name="floods and bombs",
        visitors=4,
        strikes=(
            Strike(what=What.BOMBS, after=10),
            Strike(what=What.FLOOD, after=10, settings={"clients": 4, "lasts_s": 3.0}),
        ),
    ),
    Scenario(
        name="workers die around the store",
        workers=3,
        crashes=("received, not stored", "stored, not acknowledged", "stored, not announced"),
        strikes=(Strike(what=What.CRASH),),
    ),
    Scenario(
        name="workers die in mid-answer",
        workers=3,
        crashes=("taken, not begun", "draft kept"),
        strikes=(Strike(what=What.CRASH),),
    ),
    Scenario(
        name="workers die at the end",
        workers=3,
        erasers=3,
        crashes=("erased, not announced", "written, not stored"),
        strikes=(Strike(what=What.CRASH),),
    ),
    Scenario(
        name="question that no worker survives",
        visitors=4,
        workers=3,
        traps=("freeze", "die"),
        spoilt=True,
        strikes=(Strike(what=What.FATAL, after=10, settings={"kinds": ("freeze", "die")}),),
    ),
    Scenario(
        name="text that is slow to read",
        visitors=4,
        strikes=(Strike(what=What.SLOW_TEXT, after=5, settings={"messages": 12}),),
    ),
    Scenario(
        name="records that cannot be read",
        visitors=4,
        spoilt=True,
        strikes=(
            Strike(what=What.UNREADABLE, after=5),
            Strike(what=What.UNREADABLE_BACK, after=5, lasts_s=0.5),
        ),
    ),
    Scenario(
        name="messages that no worker understands",
        visitors=2,
        questions=1,
        strikes=(Strike(what=What.STRANGE, after=5),),
    ),
    Scenario(
        name="worker stopped without Redis",
        visitors=4,
        environ=(("SHUTDOWN_GRACE_S", "1"),),
        spoilt=True,
        strikes=(Strike(what=What.STOP_AWAY, after=20),),
    ),
    Scenario(
        name="one worker cut off",
        visitors=6,
        tabs=1,
        wires=True,
        words=_LONG,
        strikes=(
            Strike(what=What.CUT_OFF, lasts_s=1.5, settings={"how": "cut"}),
            Strike(what=What.CUT_OFF, lasts_s=1.5, settings={"how": "freeze"}),
        ),
    ),
    Scenario(
        name="adviser takes over without Redis",
        visitors=4,
        tabs=1,
        wires=True,
        strikes=tuple(
            Strike(what=What.TAKE_OVER, after=5, lasts_s=1.5, settings={"away": away})
            for away in ("redis", "writer", "desk")
        ),
    ),
    Scenario(
        name="erasure while the database is busy",
        visitors=4,
        spoilt=True,
        strikes=(Strike(what=What.ERASE_BUSY, after=5),),
    ),
    Scenario(
        name="data of Redis lost in mid-answer",
        visitors=6,
        tabs=1,
        words=_LONG,
        strikes=(Strike(what=What.FLUSH, after=20),),
    ),
    Scenario(
        name="secrets in addresses",
        visitors=1,
        questions=1,
        environ=(("LOG_LEVEL", "DEBUG"),),
        strikes=(Strike(what=What.SECRETS, after=2),),
    ),
    Scenario(
        name="crowd without Redis",
        visitors=2,
        environ=(("CHAT_RATE_PER_ADDRESS_PER_MINUTE", "40"), ("TRUSTED_PROXIES", "1")),
        spoilt=True,
        strikes=(Strike(what=What.CROWD, settings={"sockets": 12, "messages": 15, "limit": 40}),),
    ),
]
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
