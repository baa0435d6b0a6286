import { QueryClient } from "@tanstack/react-query";
import { isAppError } from "../../main/shared/errors.ts";

export function createQueryCache(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // the engine is on this machine: "offline" is the normal state, not a reason to wait
        networkMode: "always",
        staleTime: Infinity,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        // an answer with an error is an answer; only a call that the engine's end cut off is made again
        retry: (nFailures, error) => nFailures < 2 && isAppError(error, "ENGINE_GONE"),
        retryDelay: 500,
      },
      mutations: { networkMode: "always" },
    },
  });
}
