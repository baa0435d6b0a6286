import { z } from "zod";
import { askTrainer } from "./ask-trainer.ts";
import type { TrainerLocation } from "./environment.ts";

const Check = z.object({ event: z.literal("check"), ok: z.boolean() });
const Start = z.object({ event: z.literal("check"), check: z.literal("start"), loss: z.string(), value: z.number() });
const TIMEOUT_MS = 60_000;

/** `native-trainer selftest`: losses and gradients of a tiny model, against numbers that came with the program. */
export async function selftest(location: TrainerLocation) {
  const { lines, end } = await askTrainer(location, ["selftest"], TIMEOUT_MS);
  const checks = lines.flatMap((line) => Check.safeParse(line).data ?? []);
  const starts = lines.flatMap((line) => Start.safeParse(line).data ?? []).map(({ loss, value }) => ({ loss, value }));
  return { isPassed: end?.code === 0, nPassed: checks.filter(({ ok }) => ok).length, nChecks: checks.length, starts };
}
