/**
 * What the preload puts on `window.studio` in the desktop window. In a browser (`preflexor serve`) it is absent,
 * and the window reaches the engine over a WebSocket instead.
 */
export type StudioBridge = {
  /**
   * Asks the shell for a new port to the engine. The answer is a message event on the window, from its own
   * origin, with `data` = EnginePortMessage and the port in `ports[0]`.
   */
  connectEngine(): void;
  /** The absolute path of a dropped or picked file; empty when the file has none. */
  pathForFile(file: File): string;
  platform: string;
  /** Ends the engine if it still runs and starts a new one; the window then calls connectEngine again. */
  restartEngine(): Promise<void>;
  /** The system's own dialog: PDF files and folders for `documents`, one GGUF file for `model`. Empty when dismissed. */
  openFiles(kind: "documents" | "model"): Promise<string[]>;
  /** Shows a file in the system's file browser. */
  revealPath?(path: string): Promise<void>;
};

export type EnginePortMessage = { t: "engine-port" };
