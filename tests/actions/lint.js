// Asks the workflow linter (WebAssembly, without a file system or a network) about each file; answers as JSON.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const [folder, ...files] = process.argv.slice(2);
require(path.join(folder, "wasm_exec.js"));

async function main() {
  globalThis.throwError = (words) => {
    throw new Error(words);
  };
  const go = new globalThis.Go();
  const binary = fs.readFileSync(path.join(folder, "main.wasm"));
  const { instance } = await WebAssembly.instantiate(binary, go.importObject);
  go.run(instance);
  const found = {};
  for (const file of files) {
    const problems = globalThis.runActionlint(fs.readFileSync(file, "utf8"), file);
    found[file] = problems.map((one) => `${one.line}:${one.column} [${one.kind}] ${one.message}`);
  }
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
