// Run every check of the GraphQL-over-HTTP audit against the URL in the first argument.
// Prints what failed and one closing line; exits with 1 if anything failed.

import { serverAudits } from "graphql-http";

const LEVELS = ["MUST", "SHOULD", "MAY"];
const url = process.argv[2];

const results = await Promise.all(serverAudits({ url }).map((audit) => audit.fn()));
const passed = (result) => result.status === "ok";
const level = (result) => LEVELS.find((word) => result.name.startsWith(word));

for (const result of results.filter((result) => !passed(result))) {
  console.log(`FAILED ${result.id} ${result.name}: ${result.reason}`);
}
const counts = LEVELS.map((word) => {
  const all = results.filter((result) => level(result) === word);
  return `${word} ${all.filter(passed).length}/${all.length}`;
});
const green = results.filter(passed).length;
console.log(`audit: ${green} of ${results.length} checks passed (${counts.join(", ")})`);
process.exit(green === results.length ? 0 : 1);
