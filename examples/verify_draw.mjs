// Verify the draws of a closed lottery with nothing but Node.js: `node verify_draw.mjs lottery.json`.
//
// The file is what the query in docs/lotteries.md answers: the hashes that were published before, the table, the seed
// that was told after, and the draws. Every draw is reckoned again; the exit status is 1 if one does not agree.

import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const sha256 = (content) => createHash("sha256").update(content).digest("hex");
const span = 2n ** 256n;

// A number below `total`: HMAC-SHA256 read as a big integer; what would favour anybody is drawn again.
function point(seed, message, total) {
  for (let again = 0; ; again += 1) {
    const told = again === 0 ? message : `${message}#${again}`;
    const number = BigInt(`0x${createHmac("sha256", seed).update(told).digest("hex")}`);
    if (number < span - (span % BigInt(total))) return Number(number % BigInt(total));
  }
}

const lottery = JSON.parse(readFileSync(process.argv[2], "utf8"));
const seed = Buffer.from(lottery.seed, "hex");
let isRight = sha256(seed) === lottery.seedHash && sha256(lottery.tableText) === lottery.tableHash;
const lines = lottery.tableText.split("\n").map((line) => line.split("\t"));
const terms = Object.fromEntries(lines);
const prizes = lines.filter((line) => line[0] === "prize").map((line) => line.slice(1));
for (const draw of lottery.draws.nodes) {
  const at = point(seed, `${draw.clientSeed}:${draw.nonce}`, draw.total);
  let [drawn, rest] = [draw.drawnCode, at];
  for (const place of draw.among) {
    drawn = rest >= 0 ? prizes[place - 1][0] : drawn;
    rest -= Number(prizes[place - 1][1]);
  }
  const isPoint = draw.among.length ? rest + draw.total === at : draw.ticket === at + 1;
  const isPrize = drawn === draw.drawnCode && [drawn, terms.fallback].includes(draw.prizeCode);
  const agrees = at === draw.point && isPoint && isPrize;
  isRight &&= agrees;
  console.log(draw.number, draw.prizeCode, agrees ? "agrees" : "DOES NOT AGREE");
}
console.log(isRight ? "Everything agrees." : "Something does not agree.");
process.exit(isRight ? 0 : 1);
