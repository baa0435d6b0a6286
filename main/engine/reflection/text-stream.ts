import type { EngineEvents } from "../../shared/contract/index.ts";
import type { ReflectionId } from "../../shared/ids.ts";
import type { Emit } from "../lib/events.ts";

export type Part = EngineEvents["reflection.text"]["part"];
export type TextStream = { push(part: Part, text: string): void; close(): void };

const BATCH_MS = 30;

/** Announces text as it is written, a batch at a time: an event per token would keep the window busy. */
export function createTextStream(emit: Emit, reflectionId: ReflectionId, index: number): TextStream {
  let part: Part | null = null;
  let text = "";
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (part !== null && text !== "") emit("reflection.text", { reflectionId, index, part, text });
    text = "";
  }

  return {
    push(nextPart, more) {
      if (nextPart !== part) flush();
      part = nextPart;
      text += more;
      timer ??= setTimeout(flush, BATCH_MS);
    },
    close: flush,
  };
}
