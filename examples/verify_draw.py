"""Verify the draws of a closed lottery with nothing but Python: `python verify_draw.py lottery.json`.

The file is what the query in docs/lotteries.md answers: the hashes that were published before, the table, the seed that
was told after, and the draws. Every draw is reckoned again; the exit status is 1 if one of them does not agree.
"""

import hashlib
import hmac
import json
import sys


def point(seed, message, total, again=0):
    """A number below `total`: HMAC-SHA256 read as a big integer; what would favour anybody is drawn again."""
    told = message if again == 0 else f"{message}#{again}"
    number = int.from_bytes(hmac.digest(seed, told.encode(), "sha256"), "big")
    return number % total if number < 2**256 - 2**256 % total else point(seed, message, total, again + 1)


with open(sys.argv[1], encoding="utf-8") as file:
    lottery = json.load(file)
seed, text = bytes.fromhex(lottery["seed"]), lottery["tableText"]
is_right = hashlib.sha256(seed).hexdigest() == lottery["seedHash"]
is_right &= hashlib.sha256(text.encode()).hexdigest() == lottery["tableHash"]
lines = [line.split("\t") for line in text.splitlines()]
terms, prizes = {line[0]: line[1] for line in lines}, [line[1:] for line in lines if line[0] == "prize"]
for draw in lottery["draws"]["nodes"]:
    at = point(seed, f"{draw['clientSeed']}:{draw['nonce']}", draw["total"])
    drawn, rest = draw["drawnCode"], at
    for place in draw["among"]:
        drawn, rest = (prizes[place - 1][0] if rest >= 0 else drawn), rest - int(prizes[place - 1][1])
    agrees = at == draw["point"] and drawn == draw["drawnCode"] and draw["prizeCode"] in (drawn, terms["fallback"])
    agrees &= draw["ticket"] == at + 1 if not draw["among"] else rest + draw["total"] == at
    is_right &= agrees
    print(draw["number"], draw["prizeCode"], "agrees" if agrees else "DOES NOT AGREE")
print("Everything agrees." if is_right else "Something does not agree.")
sys.exit(0 if is_right else 1)
