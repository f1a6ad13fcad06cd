"""What README.md and docs/insights-api.md tell strangers to run, run as it stands there; only address and key are the test's."""

import asyncio
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.conformance.conftest import Service
from tests.insights.clients import KEY

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROOT = Path(__file__).parents[2]


def examples(page: str, heading: str, language: str) -> list[str]:
    """The blocks of a language below a heading."""
    section = (ROOT / page).read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)


async def run(service: Service, *command: str) -> str:
    """What it prints; it must end well."""
    ours = [word.replace("http://127.0.0.1:3000", service.url).replace("my-key", KEY) for word in command]
    process = await asyncio.create_subprocess_exec(
        *ours, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_the_python_example_of_the_readme_prints_offers(service: Service) -> None:
    (example,) = examples("README.md", "The API", "python")
    lines = (await run(service, sys.executable, "-c", example)).splitlines()
    assert lines
    assert all(line.endswith(" USD") for line in lines)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_the_curl_example_of_the_readme_answers(service: Service) -> None:
    (example,) = examples("README.md", "The API", "sh")
    answer = json.loads(await run(service, "sh", "-c", example))
    assert answer["visuallySimilarProducts"]["value"][0]["name"] == "Harbour Stripe Straight Mug"
    assert {tag["name"] for tag in answer["imageTags"]["value"]} >= {"mug"}


async def test_the_python_examples_of_the_page_about_the_api(service: Service) -> None:
    printed = ["ProductVisualSearch", "Harbour Stripe Straight Mug", "Harbour Stripe Straight Mug"]
    for example, said in zip(examples("docs/insights-api.md", "Pointing an old program here", "python"), printed, strict=True):
        assert said in await run(service, sys.executable, "-c", example)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_the_curl_example_of_the_page_about_the_api(service: Service) -> None:
    (example,) = examples("docs/insights-api.md", "Pointing an old program here", "sh")
    answer = json.loads(await run(service, "sh", "-c", example))
    assert answer["_type"] == "ImageKnowledge"
    assert answer["tags"][0]["actions"]
