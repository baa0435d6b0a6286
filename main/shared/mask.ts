import { z } from "zod";

/** Which response tokens carry loss. `thinking_fraction` leaves a seeded share of the thinking tokens out. */
export const Mask = z.union([
  z.enum(["none", "answer_only"]),
  z.strictObject({ thinking_fraction: z.number().min(0).max(1) }),
]);
export type Mask = z.infer<typeof Mask>;
