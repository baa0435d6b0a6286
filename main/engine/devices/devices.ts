import { existsSync } from "node:fs";
import type { Device, DeviceReport } from "../../shared/contract/device.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import type { Db } from "../db/index.ts";
import { trainerMissing } from "./ask-trainer.ts";
import { AUTO, chooseDevice, faultOf, type Found } from "./choose.ts";
import { createDeviceStore } from "./device-store.ts";
import type { TrainerLocation } from "./environment.ts";
import { inspectModel, type Trainability, trainerIdentity } from "./inspect.ts";
import { type ComputePackage, findPackages } from "./packages.ts";
import { probePackage } from "./probe.ts";
import { selftest } from "./selftest.ts";

export type DeviceConfig = {
  /** The native-trainer executable. */
  trainerPath: string;
  /** node-llama-cpp's packages for this system: node_modules/@node-llama-cpp, outside any archive. */
  packagesDir: string;
  /** The device that the command line asks for; it wins over the workspace's own choice. */
  device?: string | undefined;
};

/** A device, and how the trainer is started to reach it. */
export type ChosenDevice = {
  device: Device;
  location: TrainerLocation;
  /** Why a graphics card that is there is not the one, when nobody asked for the processor. */
  fault: string | null;
};

export type Devices = ReturnType<typeof createDevices>;
type Machine = Found & { devices: Device[]; packages: ComputePackage[] };

/**
 * [Note: devices] What this machine can compute on is known by asking the trainer once with each installed package of
 * ggml's libraries. Training and inference take the same device from here: the one of the single run, else of the
 * command, else of the workspace, else the best one. A device that is wanted and not to be had is an error, and never
 * the processor in silence.
 */
export function createDevices(deps: { db: Db; config: DeviceConfig; changed(): void }) {
  const { config, changed } = deps;
  const store = createDeviceStore(deps.db);
  let known: Promise<Machine> | undefined;

  const machine = (refresh = false) => {
    if (refresh || !known) known = askMachine(config);
    known.catch(() => (known = undefined));
    return known;
  };
  const wanted = (): Pick<DeviceReport, "wanted" | "wantedBy"> => {
    if (config.device !== undefined) return { wanted: config.device, wantedBy: "command" };
    const ofWorkspace = store.wanted();
    return ofWorkspace ? { wanted: ofWorkspace, wantedBy: "workspace" } : { wanted: AUTO, wantedBy: "default" };
  };

  async function report(refresh = false): Promise<DeviceReport> {
    const found = await machine(refresh);
    const { devices, unused } = found;
    const base = { devices, unused: [...unused], ...wanted() };
    try {
      return { ...base, chosen: chooseDevice(found, base.wanted), problem: null };
    } catch (error) {
      if (!isAppError(error, "DEVICE_UNAVAILABLE")) throw error;
      return { ...base, chosen: null, problem: { message: error.message, nextStep: error.hint ?? "" } };
    }
  }

  /** Errors: DEVICE_UNAVAILABLE, TRAINER_MISSING. */
  async function choose(ofRun?: string): Promise<ChosenDevice> {
    const found = await machine();
    const name = ofRun ?? wanted().wanted;
    const device = chooseDevice(found, name);
    const from = found.packages.find((each) => each.name === device.package)!; // a device names a package that was asked
    const fault = faultOf(found, name, device);
    return {
      device,
      location: { trainerPath: config.trainerPath, ggmlDir: from.ggmlDir, fallbackDir: from.fallbackDir },
      fault: fault ? `${fault.package}: ${fault.reason}. ${fault.nextStep}` : null,
    };
  }

  /** For what can be said without a device, too. */
  async function chosenOrNone(): Promise<ChosenDevice | null> {
    try {
      return await choose();
    } catch (error) {
      if (isAppError(error, "DEVICE_UNAVAILABLE") || isAppError(error, "TRAINER_MISSING")) return null;
      throw error;
    }
  }

  return {
    handlers: {
      list: ({ refresh }: { refresh?: boolean | undefined }) => report(refresh),
      async choose({ device }: { device: string }) {
        chooseDevice(await machine(true), device);
        store.setWanted(device.toLowerCase());
        changed();
        return await report();
      },
      checkTrainer: async () => await selftest((await choose()).location),
    },
    api: {
      choose,
      /** The trainer's word on a model file for the chosen device, and what that word is valid for. */
      inspector: {
        async identity(): Promise<string> {
          const chosen = await chosenOrNone();
          return [trainerIdentity(config.trainerPath), chosen?.device.name ?? "no device"].join(" ");
        },
        async inspect(path: string): Promise<Trainability> {
          const chosen = await chosenOrNone();
          return await inspectModel(chosen?.location ?? anyLocation(config), path, chosen?.device.name);
        },
        /** Where the training would be, with the memory that was free when the devices were asked. */
        device: async (): Promise<Device | null> => (await chosenOrNone())?.device ?? null,
      },
      /** Which of its variants the inference library loads; "auto" where there is no trainer to ask. */
      async inferenceGpu(): Promise<Exclude<Device["backend"], "cpu"> | false | "auto"> {
        try {
          const { device } = await choose();
          return device.backend === "cpu" ? false : device.backend;
        } catch (error) {
          if (isAppError(error, "TRAINER_MISSING")) return AUTO;
          throw error;
        }
      },
    },
  };
}

/** To read a file any package's libraries will do. */
function anyLocation({ trainerPath, packagesDir }: DeviceConfig): TrainerLocation {
  return { trainerPath, ggmlDir: findPackages(packagesDir).at(-1)?.ggmlDir ?? packagesDir };
}

/** Every package in a process of its own, all at once. The processor's own package is the last and speaks for it. */
async function askMachine({ trainerPath, packagesDir }: DeviceConfig): Promise<Machine> {
  if (!existsSync(trainerPath)) throw trainerMissing(trainerPath);
  const packages = findPackages(packagesDir);
  if (packages.length === 0)
    throw new AppError("DEVICE_UNAVAILABLE", `There are no compute libraries for this system in ${packagesDir}`, {
      hint: "Install the program again (in a checkout: npm ci).",
    });
  const probed = await Promise.all(packages.map((each) => probePackage(trainerPath, each)));
  const devices = probed.flatMap((each) => each.devices);
  const processor = devices.findLast(({ type }) => type === "cpu");
  return {
    packages,
    devices: [...devices.filter(({ type }) => type !== "cpu"), ...(processor ? [processor] : [])],
    unused: probed.flatMap(({ unused }) => unused ?? []),
  };
}
