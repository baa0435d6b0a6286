import { defineConfig } from "vite";

export default defineConfig({
  root: "renderer",
  // relative, because the same files are served from app://bundle/ and from the loopback server
  base: "./",
  build: {
    outDir: "../out/renderer",
    emptyOutDir: true,
    target: "chrome130",
    minify: true,
    // the policy allows fonts and scripts from our own origin only, so nothing may become a data: URL
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      onLog(level, log, handle) {
        // "use client" says nothing here: there is no server half of this program
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
});
