"""The model: one real question, through the client that answers customers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from time import perf_counter

from openai import APIStatusError

from chat.assistant.llm import build_llm
from chat.core.errors import AssistantUnavailable
from chat.ops.doctor.findings import Finding, masked, ok, skipped, wrong
from meuble_project.env import Env

NAME = "Modèle"
QUESTION = [{"role": "user", "content": "Réponds par un seul mot : bonjour."}]
_FIXES = {
    401: "OPENAI_API_KEY=…   # dans .env : la clé est refusée",
    403: "OPENAI_API_KEY=…   # dans .env : cette clé n'a pas droit à ce modèle",
    404: "OPENAI_MODEL=…   # dans .env : ce serveur ne connaît pas ce modèle, ou pas cette adresse",
    400: "OPENAI_REASONING_EFFORT=unset   # dans .env : ce serveur refuse la demande",
    429: "OPENAI_API_KEY=…   # crédit ou débit épuisé : voir le compte du fournisseur",
}


def check_model(env: Env, timeout_s: float) -> list[Finding]:
    if env.uses_local_assistant:
        return [skipped(NAME, "assistant local : il ne tourne qu'avec « serve »")]
    return [asyncio.run(_ask(env, timeout_s))]


async def _ask(env: Env, timeout_s: float) -> Finding:
    deadline = asyncio.get_running_loop().time() + timeout_s
    start = perf_counter()
    first_s = 0.0
    llm = build_llm()  # apart from a worker's: the checks run in threads with loops of their own
    try:
        async with (
            asyncio.timeout(timeout_s),
            aclosing(llm.stream(QUESTION, (), deadline=deadline)) as chunks,
        ):
            async for _ in chunks:
                first_s = first_s or perf_counter() - start
    except TimeoutError:
        return wrong(NAME, f"{env.openai_model} n'a pas fini en {timeout_s:g} s", _url_fix(env))
    except AssistantUnavailable as error:
        return evaluate_failure(env, error.__cause__)
    finally:
        await llm.close()
    what = f"{env.openai_model} : premier mot en {first_s * 1000:.0f} ms, tout en "
    return ok(NAME, f"{what}{(perf_counter() - start) * 1000:.0f} ms")


def evaluate_failure(env: Env, cause: BaseException | None) -> Finding:
    """Tell of it by its kind: a server's own words may repeat the key."""
    if isinstance(cause, APIStatusError):
        fix = _FIXES.get(cause.status_code, _url_fix(env))
        return wrong(NAME, f"{env.openai_model} : réponse HTTP {cause.status_code}", fix)
    where = masked(env.openai_base_url) if env.openai_base_url else "api.openai.com"
    return wrong(NAME, f"{where} ne répond pas ({type(cause).__name__})", _url_fix(env))


def _url_fix(env: Env) -> str:
    if env.openai_base_url:
        return "OPENAI_BASE_URL=https://…/v1   # dans .env"
    return "curl -sI https://api.openai.com   # le pare-feu laisse-t-il sortir ?"
