/**
 * Who may import whom: the whole rule, one line a room. A room is a folder with one idea; it may import itself, what its
 * line names, and the packages that its line names. A room of the engine is entered through its index.ts. What a line
 * names is used: what is no longer needed goes.
 * What stands further down may be imported by what stands above it, never the other way round.
 */
export type Rule = { rooms: string[]; packages: string[]; node?: true; electron?: true };

/** What every room of the engine may use, whether it does or not. */
export const OF_THE_ENGINE = ["main/shared", "zod", "node"];

const engine = (rooms: string[], packages: string[] = []): Rule => ({
  rooms: ["main/shared", ...rooms.map((name) => `main/engine/${name}`)],
  packages: ["zod", ...packages],
  node: true,
});

const BASE = ["lib", "db", "jobs"];

export const IMPORT_TABLE: Record<string, Rule> = {
  "main/shared": { rooms: [], packages: ["zod", "diff"] },

  // the engine, bottom up
  "main/engine/lib": engine([], ["pino"]),
  "main/engine/db": engine([], ["better-sqlite3", "sqlite-vec"]),
  "main/engine/jobs": engine(["lib", "db"]),
  "main/engine/rpc": engine(["lib"]),
  "main/engine/gguf": engine([]),
  "main/engine/network": engine(["lib", "db"]),
  "main/engine/devices": engine(["db"]),
  "main/engine/models": engine([...BASE, "gguf", "network", "devices"], ["yaml"]),
  "main/engine/inference": engine(
    ["lib", "rpc", "gguf"],
    ["node-llama-cpp", "@xenova/transformers", "@huggingface/jinja", "pino"],
  ),
  "main/engine/embedding": engine(["db", "inference"]),
  "main/engine/corpus": engine([...BASE, "embedding"], ["@embedpdf/pdfium"]),
  "main/engine/graph": engine(BASE),
  "main/engine/recipe": engine([], ["yaml"]),
  "main/engine/asking": engine(["lib", "inference"], ["yaml"]),
  "main/engine/reflection": engine([...BASE, "inference", "embedding", "asking"]),
  "main/engine/preference": engine([...BASE, "inference", "embedding", "recipe", "asking"]),
  // handed in by engine.ts: the method never imports it
  "main/engine/small-models": engine(["lib", "embedding", "recipe", "asking", "reflection", "preference"]),
  "main/engine/training": engine([...BASE, "devices", "gguf", "models", "inference", "recipe", "preference"], ["yaml"]),
  "main/engine/experiment": engine([...BASE, "models", "recipe", "preference", "training"]),
  "main/engine/process": engine(["rpc", "inference"]),
  // engine.ts wires every room by hand
  "main/engine": engine([
    ...BASE,
    "rpc",
    "devices",
    "models",
    "inference",
    "embedding",
    "corpus",
    "graph",
    "reflection",
    "preference",
    "small-models",
    "training",
    "experiment",
    "process",
  ]),

  // the shells
  "main/app": { rooms: ["main/shared"], packages: ["pino", "zod"], node: true, electron: true },
  "main/cli": {
    rooms: [
      "main/shared",
      "main/engine",
      "main/engine/lib",
      "main/engine/rpc",
      "main/engine/inference",
      "main/engine/experiment",
      "native-trainer",
    ],
    packages: ["commander", "graphology", "graphology-layout-forceatlas2", "ws"],
    node: true,
  },
  preload: { rooms: ["main/shared"], packages: [], electron: true },

  // the window
  "renderer/lib": { rooms: ["main/shared"], packages: ["react", "wouter"] },
  "renderer/engine": {
    rooms: ["main/shared", "renderer/lib"],
    packages: ["react", "zustand", "@tanstack/react-query"],
  },
  "renderer/components": {
    rooms: ["main/shared", "renderer/lib"],
    packages: [
      "react",
      "@mantine",
      "@tabler",
      "@tanstack/react-virtual",
      "@embedpdf",
      "sigma",
      "graphology",
      "graphology-layout-forceatlas2",
    ],
  },
  "renderer/screens/*": {
    rooms: ["main/shared", "renderer/lib", "renderer/engine", "renderer/components"],
    packages: ["react", "zustand", "@mantine", "@tabler", "@tanstack/react-virtual"],
  },
  "renderer/app": {
    rooms: ["main/shared", "renderer/lib", "renderer/engine", "renderer/components", "renderer/screens/*"],
    packages: ["react", "zustand", "@mantine", "@tabler", "@tanstack/react-query"],
  },
  renderer: {
    rooms: ["renderer/app", "renderer/engine"],
    packages: ["react-dom", "vite", "@mantine", "@fontsource-variable/inter"],
  },
};
