"""The cookbook of SQL: each of its questions has the answer that stands below it."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.web_world import World, world_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCS = Path(__file__).parent.parent / "docs"
COOKBOOK = (DOCS / "questions" / "sql.md").read_text()
RECIPES = re.findall(r"### ([^\n]+)\n\n```sql\n([^`]+)```\n\n```csv\n([^`]+)```", COOKBOOK)
SHOP = (DOCS / "examples" / "shop.ndjson").read_text()
EVENTS = [json.loads(line) for line in SHOP.splitlines()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world_on(tmp_path_factory.mktemp("cookbook")) as opened:
        for name in {event["event_type"] for event in EVENTS} - {"LINK_TRACKING_CLICK"}:
            kind = {"event_type": name, "event_display_name": name}
            await opened.ask("POST", "/events/create/eventid", json=kind)
        for event in EVENTS:
            sent = {"organization_id": opened.organization_id, **event}
            kept = await opened.client.post("/events/record", json=sent)
            assert kept.status_code == 200
        yield opened


@pytest.mark.parametrize(("title", "sql", "answer"), RECIPES, ids=lambda part: str(part)[:40])
async def test_a_recipe_has_the_answer_that_is_told(
    world: World, title: str, sql: str, answer: str
) -> None:
    body = {"sql": sql, "format": "csv", "fresh": True}
    said = await world.client.post("/journeys/sql", json=body)
    assert said.text.replace("\r\n", "\n") == answer, title


async def test_the_cookbook_has_twelve_recipes() -> None:
    assert len(RECIPES) == COOKBOOK.count("```sql") == 12
