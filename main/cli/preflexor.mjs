// Plain JavaScript, so that a Node too old to run the program can still say so.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 14)) {
  const error = {
    code: "NODE_TOO_OLD",
    message: `PRefLexOR Studio needs Node 22.14 or newer; this is ${process.versions.node}`,
    hint: "Run it through npm (npm run -s preflexor -- …), which uses the Node that npm ci installed.",
  };
  if (process.argv.includes("--json")) process.stdout.write(`${JSON.stringify({ error })}\n`);
  else process.stderr.write(`Error: ${error.message}\n${error.hint}\n`);
  process.exit(3);
}
const { main } = await import("./main.ts");
await main(process.argv);
