import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { selftest } from "../../../main/engine/devices/selftest.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "preflexor-selftest-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function saying(lines: object[], exit: number) {
  const trainerPath = join(dir, "trainer");
  const text = lines.map((line) => JSON.stringify(line) + "\n").join("");
  writeFileSync(
    trainerPath,
    `#!${process.execPath}\nprocess.stdout.write(${JSON.stringify(text)}, () => process.exit(${exit}));`,
  );
  chmodSync(trainerPath, 0o755);
  return { trainerPath, ggmlDir: dir };
}

test("counts the checks and tells what each loss with a reference starts at", async () => {
  const check = (name: string, ok: boolean, more: object = {}) => ({ event: "check", check: name, ok, ...more });
  const lines = [
    check("losses", true),
    check("gradients", false),
    check("start", true, { loss: "dpo", value: Math.LN2 }),
    check("start", true, { loss: "ipo", value: 25 }),
  ];
  expect(await selftest(saying(lines, 3))).toEqual({
    isPassed: false,
    nPassed: 3,
    nChecks: 4,
    starts: [
      { loss: "dpo", value: Math.LN2 },
      { loss: "ipo", value: 25 },
    ],
  });
});
