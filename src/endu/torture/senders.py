"""Those who send: each one request after the other, for as long as there is a server, with every
request and its outcome in the history."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import httpx
import msgspec

from endu.torture.crowd import Request, requests_of
from endu.torture.gate import Gate, Target, client_of
from endu.torture.history import Answered, History, Outcome, Sent

# A 503 with one of these says for sure that nothing was kept; with any other, nobody knows.
NOT_KEPT = frozenset({"NOT_DURABLE", "DISK_FULL"})
SAID_TO_BE_UNSURE = frozenset({"MAYBE_KEPT", "STORAGE_FAILED", "NOT_SETTLED", *NOT_KEPT})

PATHS = {
    "record": "/events/record",
    "batch": "/events/record/batch",
    "rule": "/rules",
    "undo": "/rules",
    "type": "/events/create/eventid",
    "replay": "/failed-events/replay",
}


class Sender:
    """Used by one task. `numbers` numbers all senders' requests; `odd` counts answers that no
    request should get."""

    def __init__(
        self, sender: int, seed: int, gate: Gate, history: History, numbers: Iterator[int]
    ) -> None:
        self._sender = sender
        self._requests = requests_of(seed, sender)
        self._gate = gate
        self._history = history
        self._numbers = numbers
        self._again: deque[Request] = deque()
        self._rule_ids: dict[str, str] = {}
        self.odd: Counter[str] = Counter()

    async def run(self) -> None:
        """Until the gate says that it is over."""
        seen = 0
        while (target := await self._gate.next(seen)) is not None:
            seen = target.generation
            async with client_of(target.address, target.secret_key) as client:
                if self._sender % 2:
                    # httpx names it in every request, which takes that by another way through
                    # Endu than one that says only what is needed: both are ways that must hold.
                    del client.headers["connection"]
                await self._send_until_broken(client, target)

    async def _send_until_broken(self, client: httpx.AsyncClient, target: Target) -> None:
        while not self._gate.ended:
            request = self._again.popleft() if self._again else next(self._requests)
            answers = await asyncio.gather(
                *(self._send(client, target, request) for _ in range(request.copies))
            )
            unknown = [a for a in answers if any(o.verdict == "unknown" for o in a.outcomes)]
            if unknown and request.again:
                self._again.append(msgspec.structs.replace(request, copies=1))
            if any(answer.status == 0 for answer in unknown):
                return
            await asyncio.sleep(request.pause_seconds)

    async def _send(self, client: httpx.AsyncClient, target: Target, request: Request) -> Answered:
        number = next(self._numbers)
        events = tuple(
            event | {"organization_id": target.organization_id} for event in request.events
        )
        await self._history.durably(Sent(number, self._sender, request.kind, events, request.body))
        answer = await self._heard(client, target, request, events)
        if answer is None:
            outcome = Outcome("unknown")
            answered = Answered(number, 0, (outcome,) * max(1, len(events)))
        else:
            answered = Answered(number, answer.status_code, outcomes_of(request, answer))
            self._look_at(request, answered)
            if any(outcome.verdict == "ok" for outcome in answered.outcomes):
                self._gate.acknowledge(target.generation)
        self._history.say(answered)
        return answered

    async def _heard(
        self,
        client: httpx.AsyncClient,
        target: Target,
        request: Request,
        events: Sequence[dict[str, Any]],
    ) -> httpx.Response | None:
        """None where no answer came, or it came after the power had gone."""
        try:
            answer = await self._ask(client, request, events)
        except (httpx.TransportError, httpx.RemoteProtocolError):
            return None
        return answer if self._gate.hears(target.generation) else None

    async def _ask(
        self, client: httpx.AsyncClient, request: Request, events: Sequence[dict[str, Any]]
    ) -> httpx.Response:
        path = PATHS[request.kind]
        if request.kind == "record":
            return await client.post(path, json=events[0])
        if request.kind == "batch":
            return await client.post(path, json=events)
        if request.kind == "undo":
            # One whose making nobody answered for has no id that could be named.
            rule_id = self._rule_ids.get(request.body["reason"], "unknown")
            return await client.delete(f"{path}/{rule_id}")
        return await client.post(path, json=_with_display_name(request))

    def _look_at(self, request: Request, answered: Answered) -> None:
        first = answered.outcomes[0]
        if request.kind == "rule" and first.verdict == "ok":
            self._rule_ids[request.body["reason"]] = first.id
        for outcome in answered.outcomes:
            if outcome.verdict == "unknown" and outcome.reason not in SAID_TO_BE_UNSURE:
                reason = outcome.reason or "without a reason"
                self.odd[f"{answered.status} {reason} to a {request.kind}"] += 1


def senders_of(seed: int, how_many: int, gate: Gate, history: History) -> list[Sender]:
    numbers = count(1)
    return [Sender(each, seed, gate, history, numbers) for each in range(how_many)]


def outcomes_of(request: Request, answer: httpx.Response) -> tuple[Outcome, ...]:
    """What the answer says, and no more than it says."""
    said = _json(answer)
    data = said.get("data") or {}
    if request.kind == "batch" and answer.status_code == 200:
        return tuple(_of_result(each) for each in data["results"])
    return (_of_answer(request, answer, said.get("error", ""), data),) * max(1, len(request.events))


def _of_answer(
    request: Request, answer: httpx.Response, reason: str, data: dict[str, Any]
) -> Outcome:
    if answer.status_code == 200:
        named = answer.headers.get("Endu-Record-Id") or data.get("rule_id") or data.get("event_id")
        return Outcome("ok", named or "")
    # What a replay kept before it had to give up stays kept.
    nothing_kept = reason in NOT_KEPT and request.kind != "replay"
    if 400 <= answer.status_code < 500 or nothing_kept:
        return Outcome("refused", data.get("failed_event_id") or "", reason)
    return Outcome("unknown", "", reason)


def _of_result(result: dict[str, Any]) -> Outcome:
    if result["result"] in ("ok", "duplicate"):
        return Outcome("ok", result["record_id"])
    reason = result.get("error", "")
    if result["result"] == "refused" or reason in NOT_KEPT:
        return Outcome("refused", result.get("failed_event_id", ""), reason)
    return Outcome("unknown", "", reason)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _with_display_name(request: Request) -> dict[str, Any]:
    if request.kind == "type":
        return request.body | {"event_display_name": "Torture", "event_data_schema": {}}
    return request.body
