import { createContext, use, useSyncExternalStore } from "react";
import type { ConnectionStatus, Engine } from "./connection.ts";

export const EngineContext = createContext<Engine | null>(null);

export function useEngine(): Engine {
  const engine = use(EngineContext);
  if (!engine) throw new Error("useEngine needs an EngineContext above it");
  return engine;
}

export function useConnectionStatus(): ConnectionStatus {
  const engine = useEngine();
  return useSyncExternalStore(engine.subscribe, engine.status);
}
