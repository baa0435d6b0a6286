import { z } from "zod";

/** One named part of the structured thinking. */
export const Section = z
  .strictObject({
    name: z.string().min(1),
    /** What belongs into it, in one sentence for the teacher. */
    guide: z.string().min(1),
    /**
     * How a `lines` prompt set fills it: `steps` are sentences of the sources, rewritten; `concepts` are terms found by
     * code; `line` asks the prompt set's task of that name for one line. A `grammar` set fills all sections in one call.
     */
    kind: z.enum(["steps", "concepts", "line"]),
    task: z.string().optional(),
    maxStatements: z.int().min(1).max(12),
    /** Fewer statements than this and the pair is filtered; 0 leaves the section out when nothing passes its checks. */
    minStatements: z.int().min(0),
  })
  .refine(({ kind, task }) => (kind === "line") === (task !== undefined), {
    path: ["task"],
    message: "a task goes with the kind line, and only with it",
  });
export type Section = z.infer<typeof Section>;
