// Asks yaml-language-server what an editor would show for files, over its own protocol on stdio.
// Usage: node check.js SERVER ROOT FILE...   Prints {file: [messages]} as JSON.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const path = require("node:path");
const { pathToFileURL } = require("node:url");

const [server, root, ...files] = process.argv.slice(2);
const child = spawn(process.execPath, [server, "--stdio"], { stdio: ["pipe", "pipe", "inherit"], cwd: root });
const uri = (file) => pathToFileURL(path.join(root, file)).href;
const names = new Map(files.map((file) => [uri(file), file]));
const found = {};
let buffer = Buffer.alloc(0);

function send(message) {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function open(file) {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  send({ method: "textDocument/didOpen", params: { textDocument: { uri: uri(file), languageId: "yaml", version: 1, text } } });
}

function receive(message) {
  if (message.id === 1 && message.result) {
    send({ method: "initialized", params: {} });
    const settings = { yaml: { validate: true, schemaStore: { enable: false } } };
    send({ method: "workspace/didChangeConfiguration", params: { settings } });
    files.forEach(open);
  } else if (message.method === "workspace/configuration") {
    const answer = (item) => (item.section === "yaml" ? { validate: true, schemaStore: { enable: false } } : {});
    send({ id: message.id, result: message.params.items.map(answer) });
  } else if (message.method && message.id !== undefined) {
    send({ id: message.id, result: null });
  } else if (message.method === "textDocument/publishDiagnostics" && names.has(message.params.uri)) {
    found[names.get(message.params.uri)] = message.params.diagnostics.map((d) => `${d.range.start.line + 1}: ${d.message}`);
    if (Object.keys(found).length === files.length) {
      process.stdout.write(JSON.stringify(found));
      child.kill();
      process.exit(0);
    }
  }
}

child.stdout.on("data", (chunk) => {
  buffer = Buffer.concat([buffer, chunk]);
  for (;;) {
    const head = buffer.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(buffer.subarray(0, head).toString())[1]);
    if (buffer.length < head + 4 + length) return;
    const body = buffer.subarray(head + 4, head + 4 + length).toString();
    buffer = buffer.subarray(head + 4 + length);
    receive(JSON.parse(body));
  }
});
child.on("exit", (code) => process.exit(code === null ? 1 : code || 1));
send({ id: 1, method: "initialize", params: { processId: process.pid, rootUri: pathToFileURL(root).href, capabilities: { workspace: { configuration: true } } } });
