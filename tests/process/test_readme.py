"""The README's tour, as a reader would paste it, against a server that was just started."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, Final

from api import banner
from tests.process import tessera

README: Final = Path(__file__).parents[2] / "README.md"


def _tour() -> str:
    told = README.read_text(encoding="utf-8").split("## A tour of five minutes")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"```sh\n(.*?)```", told, flags=re.DOTALL))


def _run(url: str, key: str) -> list[dict[str, Any]]:
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _tour()],
        env={**os.environ, "KEY": key, "TESSERA": url},
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in told.stdout.splitlines() if line]
    assert not [answer for answer in answers if "errors" in answer]
    return [answer["data"] for answer in answers]


def test_every_command_of_the_tour_does_what_the_readme_says(tmp_path: Path) -> None:
    """Enroll, buy, look, make a double-points day, preview, redeem, refund, sign in; again it changes nothing."""
    with tessera.serving(tmp_path) as child:
        access = banner.recall(tmp_path)
        assert access is not None
        for is_again in (False, True):
            enrolled, bought, asked, doubled, previewed, redeemed, refunded, signed, board = _run(
                child.url, access.secret_key
            )
            done = (enrolled, doubled, redeemed, refunded, signed)
            assert all(not found["userErrors"] for answer in done for found in answer.values())
            recorded = bought["purchaseRecord"]
            assert (recorded["purchase"]["pointsEarned"], recorded["isReplay"]) == (2749, is_again)
            assert recorded["member"]["account"]["tier"] == {"name": "银卡"}
            assert asked["member"]["account"]["available"] == (2259 if is_again else 2949)
            assert previewed["earningPreview"]["pointsEarned"] == 240
            assert signed["checkInCreate"]["checkIn"] == {"length": 1, "points": 10}
            assert board["leaderboard"]["name"] == "本月积分榜"
