import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import type { EngineClient } from "../../main/shared/contract/index.ts";
import type { Engine } from "./connection.ts";
import { useEngine } from "./engine-context.ts";

type DomainName = keyof EngineClient;
type MethodsOf<D extends DomainName> = keyof EngineClient[D] & string;
export type MethodName = { [D in DomainName]: `${D}.${MethodsOf<D>}` }[DomainName];

type Call = (input: never, options?: { signal?: AbortSignal }) => Promise<unknown>;
type MethodOf<N extends MethodName> = N extends `${infer D extends DomainName}.${infer M}`
  ? M extends keyof EngineClient[D]
    ? Extract<EngineClient[D][M], Call>
    : never
  : never;
export type InputOf<N extends MethodName> = Parameters<MethodOf<N>>[0];
export type OutputOf<N extends MethodName> = Awaited<ReturnType<MethodOf<N>>>;

export type EngineQueryOptions = {
  enabled?: boolean;
  /** Shows the last answer while a new input is asked for, so that a list does not blink while typing. */
  keepPrevious?: boolean;
  /** How long an answer that nobody shows is kept. */
  keepUnusedMs?: number;
};

/** Cached under [method, input]; fresh until an event of the engine says otherwise (see invalidate.ts). */
export function useEngineQuery<N extends MethodName>(name: N, input: InputOf<N>, options: EngineQueryOptions = {}) {
  const engine = useEngine();
  return useQuery({
    queryKey: [name, input],
    queryFn: ({ signal }) => callEngine(engine, name, input, signal),
    enabled: options.enabled ?? true,
    ...(options.keepPrevious ? { placeholderData: keepPreviousData } : {}),
    ...(options.keepUnusedMs === undefined ? {} : { gcTime: options.keepUnusedMs }),
  });
}

export function useEngineCommand<N extends MethodName>(name: N) {
  const engine = useEngine();
  return useMutation({ mutationFn: (input: InputOf<N>) => callEngine(engine, name, input) });
}

export async function callEngine<N extends MethodName>(
  engine: Engine,
  name: N,
  input: InputOf<N>,
  signal?: AbortSignal,
): Promise<OutputOf<N>> {
  const [domain, method] = name.split(".") as [DomainName, string];
  // The name's type says that this method exists and what it takes and gives.
  const call = (
    engine.client[domain] as unknown as Record<string, (input: unknown, options: object) => Promise<unknown>>
  )[method];
  return (await call?.(input, signal ? { signal } : {})) as OutputOf<N>;
}
