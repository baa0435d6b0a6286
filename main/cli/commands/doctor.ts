import { spawnSync } from "node:child_process";
import { existsSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem } from "node:os";
import type { Command } from "commander";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import { note, print, printJson } from "../lib/output.ts";
import { ggmlDir, isCheckout, trainerPath } from "../lib/paths.ts";
import { withSession } from "../lib/session.ts";

type Finding = { name: string; isOk: boolean; value: string; nextStep: string | null };

/** What this machine has, what works, and what to do about the rest. */
export function addDoctorCommand(program: Command): void {
  program
    .command("doctor")
    .description("check this machine: trainer self-test, devices, models, memory, disk")
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ client, asJson, workspaceDir }) => {
        if (isCheckout()) await ensureTrainerBuilt({ log: note });
        const catalog = await client.model.catalog({});
        const findings = [
          node(),
          processor(),
          memory(),
          disk(workspaceDir),
          ...trainer(),
          ...catalog.map((entry) => ({
            name: `model ${entry.name}`,
            isOk: entry.isPresent,
            value: entry.isPresent ? "present" : "missing",
            nextStep: entry.isPresent ? null : `preflexor models get ${entry.name}`,
          })),
        ];
        const isOk = findings.every((finding) => finding.isOk);
        if (asJson) printJson({ isOk, findings });
        else printFindings(findings);
        if (!isOk) process.exitCode = 3;
      }),
    );
}

function printFindings(findings: readonly Finding[]): void {
  for (const { name, isOk, value, nextStep } of findings) {
    print(`${isOk ? "ok     " : "missing"}  ${name}: ${value}${nextStep ? `\n         → ${nextStep}` : ""}`);
  }
}

function node(): Finding {
  return { name: "node", isOk: true, value: process.versions.node, nextStep: null };
}

function processor(): Finding {
  const value = `${availableParallelism()} × ${cpus()[0]?.model ?? "unknown"}`;
  return { name: "processor", isOk: true, value, nextStep: null };
}

const MIN_FREE_MEMORY_GB = 2;
const MIN_FREE_DISK_GB = 2;

function memory(): Finding {
  const gb = freemem() / 1e9;
  const isOk = gb >= MIN_FREE_MEMORY_GB;
  const nextStep = isOk ? null : `Close other programs: ${MIN_FREE_MEMORY_GB} GB are needed for the smallest model.`;
  return { name: "free memory", isOk, value: `${gb.toFixed(1)} GB`, nextStep };
}

function disk(dir: string): Finding {
  const { bavail, bsize } = statfsSync(dir);
  const gb = (bavail * bsize) / 1e9;
  const isOk = gb >= MIN_FREE_DISK_GB;
  return {
    name: "free disk",
    isOk,
    value: `${gb.toFixed(1)} GB`,
    nextStep: isOk ? null : "Free some space on this disk.",
  };
}

function trainer(): Finding[] {
  if (!existsSync(trainerPath)) {
    return [{ name: "trainer", isOk: false, value: "not built", nextStep: "npm run build:native" }];
  }
  const devices = runTrainer("devices");
  const names = devices.events
    .flatMap((event) => event.devices ?? [])
    .map((device) => `${device.name} (${device.description})`);
  const selftest = runTrainer("selftest");
  const checks = selftest.events.filter((event) => event.event === "check");
  const nPassed = checks.filter((check) => check.ok === true).length;
  return [
    {
      name: "trainer devices",
      isOk: devices.isOk,
      value: names.join(", ") || "none",
      nextStep: devices.isOk ? null : "npm run build:native",
    },
    {
      name: "trainer self-test",
      isOk: selftest.isOk,
      value: `${nPassed} of ${checks.length} checks of losses and gradients passed`,
      nextStep: selftest.isOk ? null : "Build the trainer again with npm run build:native, and report this line.",
    },
  ];
}

/** The fields that are shown, of the events that the two commands print. */
type TrainerLine = { event: string; ok?: boolean; devices?: { name: string; description: string }[] };

function runTrainer(command: "devices" | "selftest"): { isOk: boolean; events: TrainerLine[] } {
  const env = { ...process.env, PREFLEXOR_GGML_DIR: ggmlDir(), LD_LIBRARY_PATH: ggmlDir() };
  const { status, stdout } = spawnSync(trainerPath, [command], { encoding: "utf8", env, timeout: 60_000 });
  const lines = (stdout ?? "").split("\n").filter((line) => line.startsWith("{"));
  return { isOk: status === 0, events: lines.map((line) => JSON.parse(line) as TrainerLine) };
}
