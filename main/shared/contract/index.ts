import { corpus, type CorpusEvents } from "./corpus.ts";
import type { Client, Handlers } from "./define.ts";
import { device, type DeviceEvents } from "./device.ts";
import { graph, type GraphEvents } from "./graph.ts";
import { job, type JobEvents } from "./job.ts";
import { model, type ModelEvents } from "./model.ts";
import { preference, type PreferenceEvents } from "./preference.ts";
import { reflection, type ReflectionEvents } from "./reflection.ts";
import { training, type TrainingEvents } from "./training.ts";
import { workspace } from "./workspace.ts";

/** Everything that the window and the command line can ask of the engine. */
export const engineContract = { workspace, device, corpus, model, preference, training, reflection, graph, job };
export type EngineContract = typeof engineContract;
export type EngineClient = Client<EngineContract>;
export type EngineHandlers = Handlers<EngineContract>;
export type EngineEvents = CorpusEvents &
  DeviceEvents &
  JobEvents &
  ModelEvents &
  PreferenceEvents &
  TrainingEvents &
  ReflectionEvents &
  GraphEvents;
export type EngineEventName = keyof EngineEvents;
