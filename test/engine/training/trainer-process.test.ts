import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseTrainerLine, type TrainerEvent } from "../../../main/engine/training/trainer-events.ts";
import { runTrainer } from "../../../main/engine/training/trainer-process.ts";

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "preflexor-trainer-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program that speaks the protocol; what it does is the test's. */
function scripted(script: string) {
  const trainerPath = join(dir, "trainer");
  writeFileSync(trainerPath, `#!${process.execPath}\n${script}`);
  chmodSync(trainerPath, 0o755);
  return { trainerPath, ggmlDir: dir };
}

async function run(script: string, signal?: AbortSignal) {
  const events: TrainerEvent[] = [];
  await runTrainer(scripted(script), "train", ["config.json"], (event) => events.push(event), signal);
  return events;
}

const say = (event: object) => `process.stdout.write(${JSON.stringify(`${JSON.stringify(event)}\n`)});`;

test("events arrive in order, also when lines come in pieces and unknown events lie between", async () => {
  const events = await run(
    `process.stdout.write('{"event":"hel'); setTimeout(() => { process.stdout.write('lo"}\\r\\n{"event":"later-version"}\\n');
     ${say({ event: "step", step: 1, epoch: 0.5, loss: 2 })} ${say({ event: "done" })} }, 20)`,
  );
  expect(events.map((event) => event.event)).toEqual(["hello", "step", "done"]);
});

test("an error event of exit 2 becomes TRAINER_CONFIG with its hint, of exit 3 OUT_OF_MEMORY", async () => {
  const failing = (code: number) =>
    run(
      `${say({ event: "error", code: "X", message: "the file is short", hint: "fetch it again" })} process.exitCode = ${code}`,
    );
  await expect(failing(2)).rejects.toMatchObject({
    code: "TRAINER_CONFIG",
    message: "the file is short",
    hint: "fetch it again",
  });
  await expect(failing(3)).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
});

test("every fault of a device in exit 3 is DEVICE_UNAVAILABLE, a driver that is too old too", async () => {
  for (const code of ["DEVICE_FAILED", "DRIVER_TOO_OLD"])
    await expect(
      run(`${say({ event: "error", code, message: "the card cannot" })} process.exitCode = 3`),
    ).rejects.toMatchObject({ code: "DEVICE_UNAVAILABLE", message: "the card cannot" });
});

test("a full disk is DISK_FULL, whatever it was found at", async () => {
  const said = say({
    event: "error",
    code: "DISK_FULL",
    message: "cannot write to /mnt/usb",
    hint: "Free some space.",
  });
  await expect(run(`${said} process.exitCode = 2`)).rejects.toMatchObject({
    code: "DISK_FULL",
    message: "cannot write to /mnt/usb",
    hint: "Free some space.",
  });
});

test("a death by signal is TRAINER_CRASHED, names the signal and keeps the end of stderr", async () => {
  await expect(
    run(`process.stderr.write("GGML_ASSERT here"); process.kill(process.pid, "SIGKILL")`),
  ).rejects.toMatchObject({
    code: "TRAINER_CRASHED",
    message: expect.stringContaining("SIGKILL"),
    details: { stderr: "GGML_ASSERT here" },
  });
});

test("a line that is not of the protocol is TRAINER_PROTOCOL, and the program is not left running", async () => {
  await expect(run(`console.log("loading model"); setInterval(() => {}, 1000)`)).rejects.toMatchObject({
    code: "TRAINER_PROTOCOL",
  });
});

test("an abort asks for a stop on stdin, and exit 4 is INTERRUPTED", async () => {
  const controller = new AbortController();
  const ending = run(
    `process.stdin.on("data", (text) => { if (JSON.parse(text).command === "stop") process.exit(4); }); ${say({ event: "hello" })}`,
    controller.signal,
  );
  setTimeout(() => controller.abort(), 100);
  await expect(ending).rejects.toMatchObject({ code: "INTERRUPTED" });
});

test("a missing executable is TRAINER_MISSING and says how to build it", async () => {
  const location = { trainerPath: join(dir, "nothing"), ggmlDir: dir };
  await expect(runTrainer(location, "score", ["c.json"], () => {})).rejects.toMatchObject({
    code: "TRAINER_MISSING",
    hint: expect.stringContaining("build:native"),
  });
});

test("numbers of a step pass as they are", () => {
  const event = parseTrainerLine('{"event":"step","step":3,"epoch":1.5,"loss":0.25,"rewards/margins":-0.1}');
  expect(event).toMatchObject({ step: 3, loss: 0.25, "rewards/margins": -0.1 });
});

test("an evaluation passes with TRL's names, also when its loss is no number", () => {
  const line = '{"event":"evaluation","step":0,"eval_loss":null,"eval_rewards/margins":0.5}';
  expect(parseTrainerLine(line)).toMatchObject({ event: "evaluation", step: 0, "eval_rewards/margins": 0.5 });
});
