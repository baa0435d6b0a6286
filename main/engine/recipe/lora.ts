import { z } from "zod";

const LoraTarget = z.enum(["q", "k", "v", "o", "gate", "up", "down"]);

/** The adapter that a stage trains. Rank, alpha and targets make its shape; dropout may differ from stage to stage. */
export const Lora = z.strictObject({
  r: z.int().min(1).max(1024),
  alpha: z.number().positive(),
  dropout: z.number().min(0).max(0.9),
  targets: z.array(LoraTarget).min(1),
});
export type Lora = z.infer<typeof Lora>;

/** Two stages may train one adapter when this is the same for both. */
export function shapeOf({ r, alpha, targets }: Lora): string {
  return JSON.stringify([r, alpha, targets.toSorted()]);
}
