export type TrainerLocation = {
  /** The native-trainer executable. */
  trainerPath: string;
  /** The directory of libggml-base and its backends. */
  ggmlDir: string;
  fallbackDir?: string | null;
};

/**
 * The environment of every start of the trainer: the user's, since drivers of graphics cards read variables of their
 * own, and the folder of libraries where the system's loader looks first. Windows finds a DLL by PATH, whatever the
 * letters of that name, and ends a program without it before its first line.
 */
export function trainerEnvironment(
  { ggmlDir, fallbackDir }: Omit<TrainerLocation, "trainerPath">,
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): NodeJS.ProcessEnv {
  const isWindows = platform === "win32";
  const wanted = isWindows ? "PATH" : "LD_LIBRARY_PATH";
  const isSearchPath = (name: string) => (isWindows ? name.toUpperCase() === wanted : name === wanted);
  const searched = Object.entries(env).find(([name, value]) => isSearchPath(name) && value)?.[1];
  const rest = Object.entries(env).filter(([name]) => !isSearchPath(name) && name !== FALLBACK_DIR);
  return {
    ...Object.fromEntries(rest),
    PREFLEXOR_GGML_DIR: ggmlDir,
    ...(fallbackDir ? { [FALLBACK_DIR]: fallbackDir } : {}),
    [wanted]: [ggmlDir, ...(searched ? [searched] : [])].join(isWindows ? ";" : ":"),
  };
}

const FALLBACK_DIR = "PREFLEXOR_GGML_FALLBACK_DIR";
