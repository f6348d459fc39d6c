// Checks AsyncAPI documents with AsyncAPI's own parser: node asyncapi.mjs FILE. Every error is a line; status 1 if there is one.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(await readFile(process.argv[2], "utf8"));
const errors = diagnostics.filter((one) => one.severity === 0);
for (const one of errors) console.log(`${one.path.join(".")}: ${one.message}`);
if (errors.length > 0 || document === undefined) process.exit(1);
for (const channel of document.channels()) {
  console.log(channel.address(), channel.messages().all().map((message) => message.name()).join(","));
}
