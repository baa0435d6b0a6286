import type { EngineEventName, EngineEvents } from "../../shared/contract/index.ts";

/** Announces a fact to every client. Facts only: nobody is asked to do anything by an event. */
export type Emit = <N extends EngineEventName>(name: N, payload: EngineEvents[N]) => void;
