"""The desk's pages: what they show of conversations, of any content, and what they leave behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import redis
from django.contrib.admin.models import DELETION, LogEntry
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.conversations.handover import advisers
from chat.conversations.store.adviser_store import Adviser, StaffNote, StaffNoteKind
from chat.conversations.store.protocol import ANY_OWNER, STORE, WEB_OWNER
from chat.conversations.store.redis.scripts import PipelineExecutor
from chat.conversations.store.redis.store import RedisStore
from chat.conversations.types import End, Outcome
from chat.core.ids import ref_of
from tests.builders import answer_to, leased
from tests.staff import begin, logged_in

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/chat/chatsession/"
HOSTILE = "<script>alert(1)</script> \u202eretne \u0627\u0644\u0639 <img src=x onerror=alert(1)>"


def refs(page: str, *ids: str) -> list[str]:
    """Of these sessions, those that the list shows, in its order."""
    places = {id_: page.find(f'data-row="{ref_of(id_)}"') for id_ in ids}
    return sorted((id_ for id_ in ids if places[id_] >= 0), key=places.__getitem__)


async def traced() -> list[str]:
    entries = LogEntry.objects.order_by("pk")
    return [entry.change_message async for entry in entries]


async def test_list_shows_each_state_in_words(backend):
    store = STORE.get()
    for id_ in ("idle", "held", "asked", "cut", "answering"):
        await begin(store, id_, answer="" if id_ in {"answering", "cut"} else "Oui.")
    await advisers.take_over("held", Adviser("77", "Claire"))
    await advisers.ask_for_adviser("asked", WEB_OWNER)
    await leased(store, "q1", "answering")
    lease = await leased(store, "q1", "cut")
    await store.finish(lease, Outcome(end=End.FAILED, code="assistant_timeout"), None)

    page = (await (await logged_in("karim")).get(LIST)).text

    for words in ("en attente<", "tenue par Claire", "attend un conseiller depuis", "interrompue<"):
        assert words in page
    assert 'badge--answering">répond<' in page
    assert "5</strong> actives" in page
    assert "5 sessions actives" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["c", "b", "a"]),
        ("?o=oldest", ["a", "b", "c"]),
        ("?o=began", ["c", "b", "a"]),
        ("?o=began-first", ["a", "b", "c"]),
        ("?state=held", ["b"]),
        ("?state=idle", ["c", "a"]),
        ("?speaker=adviser", ["b"]),
        ("?speaker=assistant", ["c", "a"]),
        ("?age=5min", ["c", "b", "a"]),
        ("?age=old", []),
        ("?storage=memory", ["c", "b", "a"]),
        ("?storage=redis", []),
        ("?q=CANAPE", ["c", "a"]),
        ("?q=canape+lit", ["a"]),
        ("?q=canape&o=oldest", ["a", "c"]),
        ("?q=canape&state=held", []),
        ("?state=nonsense&age=x&o=x&p=-3", ["c", "b", "a"]),
    ],
)
async def test_list_is_filtered_searched_and_sorted(query, shown):
    store = STORE.get()
    await begin(store, "a", "Un canapé-lit")
    await begin(store, "b", "Une table")
    await advisers.take_over("b", Adviser("77", "Claire"))
    await begin(store, "c", "Un canapé")

    page = (await (await logged_in("karim")).get(LIST + query)).text

    assert refs(page, "a", "b", "c") == shown


async def test_list_turns_pages_and_says_how_many_there_are():
    store = STORE.get()
    ids = [f"s{number}" for number in range(53)]
    for id_ in ids:
        await begin(store, id_, answer="")
    client = await logged_in("karim")

    first = (await client.get(LIST + "?o=oldest")).text
    second = (await client.get(LIST + "?o=oldest&p=2")).text
    beyond = await client.get(LIST + "?o=oldest&p=9")

    assert refs(first, *ids) == ids[:50]
    assert refs(second, *ids) == ids[50:]
    assert "53 sessions actives" in first
    assert 'href="?o=oldest&amp;p=2"' in first
    assert (beyond.status_code, beyond.url) == (302, LIST + "?o=oldest&p=2")


@pytest.mark.parametrize(
    "typed", ["s-of-camille-0123456789abcd", ref_of("s-of-camille-0123456789abcd")]
)
async def test_id_or_reference_leads_to_its_session_and_stands_in_no_address(typed):
    session_id = "s-of-camille-0123456789abcd"
    ref = await begin(STORE.get(), session_id)
    client = await logged_in("karim")

    found = await client.post(LIST, {"q": typed})
    lost = await client.post(LIST, {"q": "x" * 26 + "1"})
    words = await client.post(LIST, {"q": "un canapé"})
    page = (await client.get(LIST)).text + (await client.get(f"{LIST}{ref}/")).text

    assert (found.status_code, found.url) == (302, f"{LIST}{ref}/")
    assert (lost.status_code, lost.url) == (302, LIST)
    assert words.url == f"{LIST}?q=un+canap%C3%A9"
    assert session_id not in page


async def test_fragment_is_what_the_page_shows_and_nothing_around_it():
    await begin(STORE.get(), "s1")
    client = await logged_in("karim")

    part = (await client.get(LIST + "?partial=1")).text

    assert part.strip() in (await client.get(LIST)).text
    assert "<html" not in part


async def test_empty_lists_say_why():
    client = await logged_in("karim")

    assert "Personne ne parle en ce moment" in (await client.get(LIST)).text
    assert "Aucune session active ne répond" in (await client.get(LIST + "?state=held")).text
    assert "ne contient « zut »" in (await client.get(LIST + "?q=zut")).text


@pytest.mark.parametrize("path", ["", "print/"])
async def test_hostile_words_are_shown_as_words(path):
    store = STORE.get()
    ref = await begin(store, "s1", HOSTILE + "x" * 3000, answer=HOSTILE)
    await advisers.note("s1", Adviser("77", "<b>Claire</b>"), HOSTILE)

    page = (await (await logged_in("nadia")).get(f"{LIST}{ref}/{path}")).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b>Claire" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


async def test_search_words_are_escaped_where_they_are_repeated():
    page = (await (await logged_in("karim")).get(LIST, {"q": '"><script>alert(1)</script>'})).text

    assert "<script>alert" not in page


async def test_session_shows_who_said_what_and_what_stands_beside_it():
    store = STORE.get()
    ref = await begin(store, "s1", "Un canapé ?", answer="")
    lease = await leased(store, "q1", "s1")
    outcome = Outcome(end=End.INTERRUPTED, answer_id=lease.answer_id)
    await store.finish(lease, outcome, answer_to(lease, "Oui, nous"))
    numbers = {
        "question_id": "q1",
        "answer_id": lease.answer_id,
        "ending": "interrupted",
        "first_text_ms": 340,
        "total_ms": 2_100,
        "tools": ["search_products"],
        "prompt_tokens": 812,
        "completion_tokens": 143,
    }
    await store.add_staff_note("s1", StaffNote(kind=StaffNoteKind.TURN, data=numbers))
    claire = Adviser("77", "Claire")
    await advisers.take_over("s1", claire)
    await advisers.say("s1", claire, "m1", "Bonjour, Claire à votre service.")
    await advisers.note("s1", claire, "Client fidèle")

    page = (await (await logged_in("karim")).get(f"{LIST}{ref}/")).text

    assert (
        "premier mot 340 ms · en tout 2,1 s · outils : search_products · "
        "812 + 143 jetons · interrompue" in page
    )
    for words in ("Claire à votre service", "Client fidèle", "Claire a pris la main."):
        assert words in page
    assert page.index("Un canapé ?") < page.index("Oui, nous") < page.index("Claire à votre")


@pytest.mark.parametrize("ref", ["0" * 16, "../../etc", "chien", "A" * 16])
async def test_session_that_is_not_there_is_said_to_be_gone(ref):
    client = await logged_in("nadia")
    answers = [
        await client.get(f"{LIST}{ref}/"),
        await client.get(f"{LIST}{ref}/export/"),
        await client.get(f"{LIST}{ref}/erase/"),
        await client.post(f"{LIST}{ref}/take-over/"),
        await client.post(f"{LIST}{ref}/erase/"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    if "/" not in ref:
        assert all("a expiré ou a été effacée" in answer.text for answer in answers)
    assert await traced() == []


async def test_what_was_typed_stays_when_it_is_refused():
    ref = await begin(STORE.get(), "s1")
    client = await logged_in("karim")

    refused = await client.post(f"{LIST}{ref}/say/", {"text": "Je m'en occupe", "id": "m1"})
    blank = await client.post(f"{LIST}{ref}/note/", {"text": "   "})

    assert refused.status_code == 409
    assert "Je m&#x27;en occupe" in refused.text
    assert blank.status_code == 422


async def test_takeover_words_and_return_reach_the_transcript_once():
    ref = await begin(STORE.get(), "s1")
    client = await logged_in("claire")
    said = {"text": "Bonjour !", "id": "m1"}

    taken = await client.post(f"{LIST}{ref}/take-over/")
    await client.post(f"{LIST}{ref}/say/", said)
    again = await client.post(f"{LIST}{ref}/say/", said, headers={"accept": "application/json"})
    held = await STORE.get().load("s1", ANY_OWNER)
    back = await client.post(f"{LIST}{ref}/hand-back/", {"text": "Proposez la livraison"})
    after = await STORE.get().load("s1", ANY_OWNER)

    assert (taken.status_code, again.status_code, back.status_code) == (302, 200, 302)
    assert held.adviser == "Claire"
    assert [m.text for m in after.messages].count("Bonjour !") == 1
    assert (after.adviser, after.instruction) == ("", "Proposez la livraison")
    assert (await client.post(f"{LIST}{ref}/hand-back/")).status_code == 409


async def test_all_that_is_done_is_in_the_log_and_no_word_of_it():
    ref = await begin(STORE.get(), "s1", "Je suis Camille Durand")
    client = await logged_in("nadia")
    for path, data in {
        "take-over/": {},
        "say/": {"text": "Chère Camille"},
        "note/": {"text": "Camille est pressée"},
        "hand-back/": {"text": "Soyez bref avec Camille"},
        "end/": {},
    }.items():
        await client.post(f"{LIST}{ref}/{path}", data)
    for path in ("", "?partial=1", "export/", "print/", "history/"):
        await client.get(f"{LIST}{ref}/{path}")
    await client.post(f"{LIST}{ref}/erase/")

    entries = [entry async for entry in LogEntry.objects.order_by("pk").select_related("user")]
    assert [entry.change_message for entry in entries] == [
        "Main prise.",
        "Main rendue à l’assistant avec une consigne.",
        "Fin de la conversation.",
        "Conversation consultée.",
        "Conversation consultée.",
        "Exportée en JSON.",
        "Page imprimable ouverte.",
        "Conversation effacée.",
    ]
    assert {(entry.object_id, entry.user.username) for entry in entries} == {(ref, "nadia")}
    assert entries[-1].action_flag == DELETION
    assert "Camille" not in json.dumps([[e.object_repr, e.change_message] for e in entries])


async def test_history_outlives_the_session():
    ref = await begin(STORE.get(), "s1")
    client = await logged_in("nadia")
    await client.get(f"{LIST}{ref}/")
    await client.post(f"{LIST}{ref}/erase/")

    page = (await client.get(f"{LIST}{ref}/history/")).text

    assert page.index("Conversation consultée.") < page.index("Conversation effacée.")
    assert "nadia" in page


async def test_erasure_is_confirmed_then_attested_without_a_word_of_what_was_said():
    ref = await begin(STORE.get(), "s1", "Je suis Camille Durand")
    client = await logged_in("nadia")

    asked = await client.get(f"{LIST}{ref}/erase/")
    assert (await STORE.get().load("s1", ANY_OWNER)).messages
    early = await client.get(f"{LIST}{ref}/receipt/")
    done = await client.post(f"{LIST}{ref}/erase/")
    receipt = await client.get(done.url)

    assert "définitivement" in asked.text
    assert early.status_code == 404
    assert (done.status_code, done.url) == (302, f"{LIST}{ref}/receipt/")
    assert ref in receipt.text
    assert "Nadia" in receipt.text
    assert "Camille" not in receipt.text
    assert (await client.get(f"{LIST}{ref}/")).status_code == 404


async def test_export_is_a_file_that_nobody_keeps():
    ref = await begin(STORE.get(), "s-of-camille", "Un canapé ?")
    await advisers.note("s-of-camille", Adviser("77", "Claire"), "Client fidèle")

    answer = await (await logged_in("nadia")).get(f"{LIST}{ref}/export/")

    data = answer.json()
    assert answer["Content-Disposition"] == f'attachment; filename="conversation-{ref}.json"'
    assert "no-store" in answer["Cache-Control"]
    assert [m["text"] for m in data["messages"]] == ["Un canapé ?", "Bonjour, je vous écoute."]
    assert data["asides"][0]["text"] == "Client fidèle"
    assert "s-of-camille" not in answer.text


async def test_printed_page_leaves_private_notes_at_the_desk():
    ref = await begin(STORE.get(), "s1")
    await advisers.note("s1", Adviser("77", "Claire"), "Client fidèle")

    page = (await (await logged_in("nadia")).get(f"{LIST}{ref}/print/")).text

    assert "je vous écoute" in page
    assert page.count('class="paper__line"') == 2
    assert "Client fidèle" not in page


async def test_ended_session_is_read_but_not_spoken_in():
    ref = await begin(STORE.get(), "s1")
    client = await logged_in("claire")
    await client.post(f"{LIST}{ref}/end/")

    page = await client.get(f"{LIST}{ref}/")
    refused = await client.post(f"{LIST}{ref}/take-over/")

    assert page.status_code == 200
    assert 'data-mode="ended"' in page.text
    assert refused.status_code == 409
    assert "Cette conversation est close" in refused.text


@pytest.fixture
def away(replace_parts: Callable[..., None]) -> Iterator[None]:
    """The store is a Redis where nobody listens."""
    link = PipelineExecutor(lambda: redis.Redis(port=1, retry=Retry(NoBackoff(), 0)), {})
    replace_parts(STORE.to(RedisStore(link, 60)))
    yield
    link.close()


@pytest.mark.usefixtures("away")
async def test_store_that_is_away_is_said_to_be():
    client = await logged_in("karim")

    index = await client.get("/admin/")
    listed = await client.get(LIST)
    shown = await client.get(f"{LIST}{'0' * 16}/")

    assert index.status_code == 200
    assert "leur stockage ne répond pas" in index.text
    assert (listed.status_code, shown.status_code) == (503, 503)
    assert "momentanément indisponible" in listed.text
    assert listed["Retry-After"] == "3"


async def test_first_page_sums_up_for_those_who_may_see():
    await begin(STORE.get(), "s1")
    await begin(STORE.get(), "s2")
    await advisers.ask_for_adviser("s2", WEB_OWNER)

    seen = (await (await logged_in("karim")).get("/admin/")).text
    part = (await (await logged_in("karim")).get("/admin/?partial=1")).text
    unseen = (await (await logged_in("omar")).get("/admin/")).text
    hidden = (await (await logged_in("omar")).get("/admin/?partial=1")).text

    assert '<strong class="card__value">2</strong>' in seen
    assert "card--calls" in part
    assert seen.count('<svg class="chart__bars"') == 4
    assert "card" not in unseen
    assert "card" not in hidden
    assert "data-waiting" not in unseen


async def test_stranger_at_the_first_page_is_sent_to_the_login():
    client = await logged_in("")

    answer = await client.get("/admin/")

    assert (answer.status_code, answer.url) == (302, "/admin/login/?next=/admin/")


async def test_count_of_those_who_wait_is_told_to_the_header():
    await begin(STORE.get(), "s1")
    await advisers.ask_for_adviser("s1", WEB_OWNER)

    answer = await (await logged_in("karim")).get(LIST + "waiting/")

    assert answer.json() == {"asked": 1}


async def test_pages_may_load_nothing_from_elsewhere_nor_carry_scripts():
    ref = await begin(STORE.get(), "s1")
    client = await logged_in("nadia")
    for path in ("/admin/", LIST, f"{LIST}{ref}/", f"{LIST}{ref}/erase/", f"{LIST}{ref}/print/"):
        answer = await client.get(path)
        assert " style=" not in answer.text, path
        assert "<style" not in answer.text, path
        assert "onclick" not in answer.text, path
        assert "default-src" in answer["Content-Security-Policy"]
        assert 'src="http' not in answer.text, path
