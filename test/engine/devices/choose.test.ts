import { expect, test } from "vitest";
import type { Device, UnusedPackage } from "../../../main/shared/contract/device.ts";
import { chooseDevice, faultOf } from "../../../main/engine/devices/choose.ts";

const device = (name: string, type: Device["type"]): Device => ({
  name,
  description: name,
  backend: name.replace(/\d+$/, "") as Device["backend"], // the names of these tests begin with it
  type,
  package: `linux-x64-${name}`,
  memoryFreeMb: 1,
  memoryTotalMb: 2,
});
const cpu = device("cpu", "cpu");
const cuda = device("cuda0", "gpu");
const vulkan = device("vulkan0", "gpu");
const software = device("vulkan0", "software");
const integrated = device("vulkan0", "integrated gpu");
const noRuntime: UnusedPackage = {
  package: "linux-x64-cuda",
  backend: "cuda",
  reason: "NVIDIA's CUDA runtime is not there (libcublas.so.13 is missing)",
  nextStep: "Install it.",
  isFault: true,
};

test("auto takes CUDA before Vulkan before the processor, and neither a software nor an integrated device", () => {
  expect(chooseDevice({ devices: [cuda, vulkan, cpu], unused: [] }, "auto")).toBe(cuda);
  expect(chooseDevice({ devices: [vulkan, cpu], unused: [] }, "auto")).toBe(vulkan);
  for (const devices of [[software, cpu], [integrated, cpu], [cpu]])
    expect(chooseDevice({ devices, unused: [] }, "auto")).toBe(cpu);
});

test("every device can be had by its name, in whatever letters", () => {
  expect(chooseDevice({ devices: [software, cpu], unused: [] }, "Vulkan0")).toBe(software);
});

test("a device that is not there is named with the reason, the next step and what there is; never the processor instead", () => {
  expect(() => chooseDevice({ devices: [cpu], unused: [noRuntime] }, "cuda0")).toThrow(
    expect.objectContaining({
      code: "DEVICE_UNAVAILABLE",
      message: expect.stringContaining("libcublas.so.13 is missing"),
      hint: "Install it. There are: cpu.",
    }),
  );
});

test("a next step that several packages share is said once", () => {
  const unused = [noRuntime, { ...noRuntime, package: "linux-x64-cuda-ext" }];
  expect(() => chooseDevice({ devices: [], unused }, "auto")).toThrow(
    expect.objectContaining({ code: "DEVICE_UNAVAILABLE", hint: "Install it." }),
  );
});

test("the processor by default is a fault where a graphics card could serve, and none where somebody asked for it", () => {
  const found = { devices: [cpu], unused: [noRuntime] };
  expect(faultOf(found, "auto", cpu)).toBe(noRuntime);
  expect(faultOf(found, "cpu", cpu)).toBeUndefined();
  expect(faultOf({ ...found, unused: [{ ...noRuntime, isFault: false }] }, "auto", cpu)).toBeUndefined();
  expect(faultOf({ ...found, devices: [vulkan, cpu] }, "auto", vulkan)).toBeUndefined();
});
