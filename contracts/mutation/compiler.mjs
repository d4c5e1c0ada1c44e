// Answers every line of standard-JSON input with one of output. Loading the compiler once and keeping
// it warm halves the time that a compilation takes.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const solc = createRequire(import.meta.url)("solc");
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${solc.compile(line)}\n`);
}
