import { join } from "node:path";
import { defineConfig } from "electron-vite";
import renderer from "./renderer/vite.config.ts";

// The oldest runtime that the window is tested in; see test/harness/electron-from-npm.ts.
const NODE_TARGET = "node20.18";

/**
 * Every process has an entry of its own in out/main. Packages stay outside the bundles: some are native, and one
 * (node-llama-cpp) must lie unbundled on disk.
 */
export default defineConfig({
  main: {
    build: {
      target: NODE_TARGET,
      sourcemap: true,
      rolldownOptions: {
        input: {
          app: "main/app/main.ts",
          engine: "main/engine/main.ts",
          cli: "main/cli/preflexor.mjs",
          "model-host": "main/engine/inference/host/main.ts",
          "pdf-worker": "main/engine/corpus/readers/pdf/pdf-worker.ts",
        },
        output: { format: "es", entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js" },
      },
    },
  },
  preload: {
    build: {
      target: NODE_TARGET,
      // a sandboxed preload can require nothing but electron
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: "preload/index.ts" },
        output: { format: "cjs", entryFileNames: "[name].cjs" },
      },
    },
  },
  renderer: {
    ...renderer,
    build: {
      ...renderer.build,
      // electron-vite takes a relative folder from the project, Vite from the renderer's own
      outDir: join(import.meta.dirname, "out", "renderer"),
      // electron-vite asks for an input where Vite itself finds the page
      rolldownOptions: { ...renderer.build?.rolldownOptions, input: "renderer/index.html" },
    },
  },
});
