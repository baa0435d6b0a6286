import { statfsSync } from "node:fs";
import { availableParallelism, cpus, freemem } from "node:os";
import type { Command } from "commander";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import type { DeviceReport } from "../../shared/contract/device.ts";
import { describeTraining } from "../../shared/describe-training.ts";
import { AppError } from "../../shared/errors.ts";
import { formatBytes } from "../../shared/format-bytes.ts";
import { describeMemory } from "../lib/device.ts";
import { note, print, printJson } from "../lib/output.ts";
import { isCheckout } from "../lib/paths.ts";
import { type Session, withSession } from "../lib/session.ts";

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
          await runs(client),
          ...(await devices(client)),
          await inference(client),
          await selftest(client),
          ...(await training(client)),
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

type Client = Session["client"];

async function runs(client: Client): Promise<Finding> {
  const { totalBytes, freeableBytes } = await client.training.space({});
  const value = `${formatBytes(totalBytes)}, of which ${formatBytes(freeableBytes)} can be freed`;
  return { name: "training runs", isOk: true, value, nextStep: freeableBytes > 0 ? "preflexor runs clean" : null };
}

async function devices(client: Client): Promise<Finding[]> {
  try {
    return deviceFindings(await client.device.list({ refresh: true }));
  } catch (error) {
    return [failureOf("devices", error)];
  }
}

/** Every device and every package without one, then what is chosen. A graphics card that cannot serve is a fault. */
function deviceFindings(report: DeviceReport): Finding[] {
  return [
    ...report.devices.map((device) => ({
      name: `device ${device.name}`,
      isOk: true,
      value: `${device.description}, ${device.type}, ${describeMemory(device)}, by ${device.package}`,
      nextStep: null,
    })),
    ...report.unused.map(({ package: name, reason, nextStep, isFault }) => ({
      name: `package ${name}`,
      isOk: !isFault || report.chosen?.type === "gpu",
      value: reason,
      nextStep,
    })),
    chosenDevice(report),
  ];
}

function chosenDevice({ chosen, problem, wanted, wantedBy }: DeviceReport): Finding {
  const by = wantedBy === "default" ? "the best there is" : `${wanted}, asked for by the ${wantedBy}`;
  if (chosen) return { name: "computes on", isOk: true, value: `${chosen.name} (${by})`, nextStep: null };
  return {
    name: "computes on",
    isOk: false,
    value: problem?.message ?? "nothing",
    nextStep: problem?.nextStep ?? null,
  };
}

async function inference(client: Client): Promise<Finding> {
  const name = "inference";
  try {
    const { libraryVersion, threads } = await client.device.checkInference({});
    return { name, isOk: true, value: `${libraryVersion}, ${threads} threads on the processor`, nextStep: null };
  } catch (error) {
    return failureOf(name, error);
  }
}

async function selftest(client: Client): Promise<Finding> {
  const name = "trainer self-test";
  try {
    const { isPassed, nPassed, nChecks, starts } = await client.device.checkTrainer({});
    const known = starts.map(({ loss, value }) => `${loss} ${Number(value.toFixed(4))}`).join(", ");
    const value = `${nPassed} of ${nChecks} checks of losses and gradients passed; a fresh adapter starts at ${known}, with margins of 0`;
    const nextStep = isPassed ? null : "Build the trainer again with npm run build:native, and report this line.";
    return { name, isOk: isPassed, value, nextStep };
  } catch (error) {
    return failureOf(name, error);
  }
}

/** The answer of `models list`. A model that is too large for this machine is no fault of the machine. */
async function training(client: Client): Promise<Finding[]> {
  const present = (await client.model.list({})).filter(({ isPresent }) => isPresent);
  return present.map((row) => ({
    name: `training of ${row.name}`,
    isOk: true,
    value: describeTraining(row.training),
    nextStep: row.training.fits === false ? "Close other programs, or choose a smaller max_length or model." : null,
  }));
}

/** What a check finds missing is a finding and not the end of the checking. */
function failureOf(name: string, error: unknown): Finding {
  if (!(error instanceof AppError)) throw error;
  return { name, isOk: false, value: error.message, nextStep: error.hint ?? null };
}
