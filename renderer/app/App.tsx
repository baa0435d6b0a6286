import { MantineProvider } from "@mantine/core";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { Engine } from "../engine/connection.ts";
import { EngineContext } from "../engine/engine-context.ts";
import { ScreenBoundary } from "./ScreenBoundary.tsx";
import { Shell } from "./Shell.tsx";
import { cssVariables, theme } from "./theme.ts";

export function App({ engine, cache }: { engine: Engine; cache: QueryClient }) {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <EngineContext value={engine}>
        <QueryClientProvider client={cache}>
          <ScreenBoundary>
            <Shell />
          </ScreenBoundary>
        </QueryClientProvider>
      </EngineContext>
    </MantineProvider>
  );
}
