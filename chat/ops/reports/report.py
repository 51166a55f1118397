"""One report: numbers and references of conversations, never an id nor a word. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from chat.conversations.store.adviser_store import Row
from chat.conversations.store.maintenance import Orphan
from chat.core.ids import isoformat
from chat.core.json import JSON
from chat.core.reporting.french import HARD, lasting, plural, size
from chat.shop.photos.quota import Space

#: What is left of a conversation that is no more, as an operator calls it.
KINDS: dict[Orphan, str] = {
    Orphan.INDEX: "entrées d'index sans conversation",
    Orphan.DRAFTS: "brouillons de réponse",
    Orphan.STATES: "états sans fin prévue",
    Orphan.LEASES: "tours de réponse",
    Orphan.STAFF_NOTES: "notes du personnel",
    Orphan.REFS: "références sans suite",
    Orphan.CONTACTS: "demandes de rappel d'effacées",
    Orphan.PHOTOS: "photos sans conversation ni ticket",
    Orphan.FILES: "fichiers de photos effacées",
}
#: Seconds since the last word, and bytes: from one edge to before the next.
QUIET_EDGES_S = (0, 300, 1800, 7200, 21_600, 43_200)
SIZE_EDGES = (0, 2_000, 10_000, 50_000, 200_000)


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many conversations are at least ``low`` and less than ``high``; None for no limit."""

    low: int
    high: int | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """``since``: from when ``expired`` is counted. ``sampled``: conversations that ``sizes``
    tells of, the newest. ``applied``: whether orphans were removed.
    ``photos``: what they take and what is left for them, None when that is not known.
    ``workers``: what each worker that was asked says of its storage, by its address.
    ``unreadable``: references of conversations that were set aside.
    ``left_files``: names of files with conversations of workers that stopped while Redis was away.
    """

    made_at: datetime
    since: datetime
    active: int
    ended: int
    expired: int
    bytes: int
    orphans: Mapping[Orphan, int]
    applied: bool = False
    removed: Mapping[Orphan, int] = field(default_factory=dict)
    quiet: tuple[Bucket, ...] = ()
    sizes: tuple[Bucket, ...] = ()
    sampled: int = 0
    oldest: tuple[Row, ...] = ()
    biggest: tuple[Row, ...] = ()
    photos: Space | None = None
    workers: Mapping[str, str] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()
    left_files: tuple[str, ...] = ()

    @property
    def orphaned(self) -> int:
        return sum(self.orphans.values())

    @property
    def removed_count(self) -> int:
        return sum(self.removed.values())

    @property
    def left(self) -> int:
        """Orphans that are still there."""
        return 0 if self.applied else self.orphaned

    def to_json(self) -> JSON:
        return {
            "made_at": isoformat(self.made_at),
            "since": isoformat(self.since),
            "active": self.active,
            "ended": self.ended,
            "expired": self.expired,
            "bytes": self.bytes,
            "orphaned": self.orphaned,
            "applied": self.applied,
            "removed": self.removed_count,
            "details": self.details(),
        }

    def details(self) -> JSON:
        return {
            "ended": self.ended,
            "orphans": {kind.value: self.orphans.get(kind, 0) for kind in Orphan},
            "removed": {kind.value: self.removed.get(kind, 0) for kind in Orphan},
            "quiet_s": [[one.low, one.high, one.count] for one in self.quiet],
            "sizes": [[one.low, one.high, one.count] for one in self.sizes],
            "sampled": self.sampled,
            "oldest": [listed(row) for row in self.oldest],
            "biggest": [listed(row) for row in self.biggest],
            "photos": None if self.photos is None else asdict(self.photos),
            "workers": dict(self.workers),
            "unreadable": list(self.unreadable),
            "left_files": list(self.left_files),
        }


@dataclass(frozen=True, slots=True)
class Past:
    """What is kept of an earlier report."""

    made_at: datetime
    active: int
    orphaned: int
    bytes: int


def listed(row: Row) -> JSON:
    """A conversation as a report may name it: by its reference, without its owner."""
    return {
        "ref": row.ref,
        "began_at": isoformat(row.began_at),
        "last_at": isoformat(row.last_at),
        "messages": row.messages,
        "bytes": row.bytes,
        "state": row.state.value,
    }


def spread(values: Sequence[int], edges: Sequence[int]) -> tuple[Bucket, ...]:
    """Count values, none of which is below the first edge, between the edges."""
    limits: list[int | None] = [*edges[1:], None]
    return tuple(
        Bucket(low, high, sum(low <= value and (high is None or value < high) for value in values))
        for low, high in zip(edges, limits, strict=True)
    )


def quiet_label(bucket: Bucket) -> str:
    return _label(bucket, lasting)


def size_label(bucket: Bucket) -> str:
    return _label(bucket, size)


def _label(bucket: Bucket, written: Callable[[int], str]) -> str:
    if bucket.high is None:
        return f"plus de {written(bucket.low)}"
    if not bucket.low:
        return f"moins de {written(bucket.high)}"
    return f"{written(bucket.low)} à {written(bucket.high)}"


def verdict(report: Report) -> str:
    """Say in one sentence what there is to know."""
    active = plural(report.active, "conversation active", "conversations actives")
    if not report.orphaned:
        return f"{active}, rien d'orphelin."
    found = plural(report.orphaned, "reste orphelin", "restes orphelins")
    if not report.left:
        return f"{active}, {found} : tout a été retiré."
    return f"{active}, {found} à retirer."


def orphan_lines(report: Report) -> list[tuple[str, int, int]]:
    """Return what was found and removed of each kind, by its French name."""
    return [
        (KINDS[kind], report.orphans.get(kind, 0), report.removed.get(kind, 0)) for kind in Orphan
    ]


def photo_figures(report: Report) -> list[tuple[str, str]]:
    """Return what photos take and what is left for them: name and value."""
    space = report.photos
    if space is None:
        return [("Photos", "inconnu")]
    quota = f" sur {size(space.max_bytes)}" if space.max_bytes else ""
    floor = f", plancher {size(space.min_free_bytes)}" if space.min_free_bytes else ""
    return [
        ("Photos", f"{size(space.used_bytes)}{quota}"),
        ("Place libre", f"{size(space.free_bytes)}{floor}"),
    ]


def worker_lines(report: Report) -> list[str]:
    """What is known of the copies that workers keep in memory while Redis is away."""
    if not report.workers:
        return [
            "Copies en mémoire non réunies : seuls les serveurs les connaissent. "
            f"Option «{HARD}--worker{HARD}http://web:8000{HARD}» pour les interroger."
        ]
    return [f"{address} : {word}" for address, word in report.workers.items()]
