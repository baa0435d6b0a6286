import { expect, test } from "vitest";
import { trainerEnvironment } from "../../../main/engine/devices/index.ts";

test("on Linux the folder of libraries comes before the user's own LD_LIBRARY_PATH, and drivers keep their variables", () => {
  const env = { PATH: "/bin", LD_LIBRARY_PATH: "/opt/cuda/lib64", VK_ICD_FILENAMES: "/icd.json", LANG: "C" };
  expect(trainerEnvironment({ ggmlDir: "/ggml" }, env, "linux")).toEqual({
    PATH: "/bin",
    LD_LIBRARY_PATH: "/ggml:/opt/cuda/lib64",
    VK_ICD_FILENAMES: "/icd.json",
    LANG: "C",
    PREFLEXOR_GGML_DIR: "/ggml",
  });
});

test("on Windows a DLL is found by PATH, however its name is written, and there is only one of it", () => {
  const env = { Path: "C:\\Windows\\System32", SystemRoot: "C:\\Windows" };
  expect(trainerEnvironment({ ggmlDir: "C:\\ggml", fallbackDir: "C:\\old" }, env, "win32")).toEqual({
    PATH: "C:\\ggml;C:\\Windows\\System32",
    SystemRoot: "C:\\Windows",
    PREFLEXOR_GGML_DIR: "C:\\ggml",
    PREFLEXOR_GGML_FALLBACK_DIR: "C:\\old",
  });
});

test("without a search path of the user's the folder stands alone: an empty entry would mean the working directory", () => {
  expect(trainerEnvironment({ ggmlDir: "/ggml" }, { LD_LIBRARY_PATH: "" }, "linux").LD_LIBRARY_PATH).toBe("/ggml");
  expect(trainerEnvironment({ ggmlDir: "C:\\g" }, {}, "win32").PATH).toBe("C:\\g");
});
