import { create } from "zustand";
import type { EngineEvents } from "../../main/shared/contract/index.ts";
import type { Engine } from "./connection.ts";

type TextEvent = EngineEvents["reflection.text"];
export type LivePart = TextEvent["part"];
/** Text of an iteration that is being written, part by part, in the order in which the parts began. */
export type LiveIteration = { index: number; parts: Map<LivePart, string> };

type LiveText = {
  byReflection: Map<string, LiveIteration>;
  append(event: TextEvent): void;
};

/** Only the newest iteration of each reflection is kept: finished ones come from the engine's records. */
export const useLiveText = create<LiveText>((set) => ({
  byReflection: new Map(),
  append: (event) =>
    set(({ byReflection }) => ({
      byReflection: new Map(byReflection).set(event.reflectionId, grow(byReflection, event)),
    })),
}));

export function collectLiveText(engine: Engine): void {
  engine.on("reflection.text", (event) => useLiveText.getState().append(event));
}

function grow(byReflection: Map<string, LiveIteration>, event: TextEvent): LiveIteration {
  const current = byReflection.get(event.reflectionId);
  const parts = current?.index === event.index ? new Map(current.parts) : new Map<LivePart, string>();
  parts.set(event.part, (parts.get(event.part) ?? "") + event.text);
  return { index: event.index, parts };
}
