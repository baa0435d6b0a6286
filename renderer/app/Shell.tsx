import { lazy, Suspense, useState } from "react";
import { LoadingRows } from "../components/Loaded.tsx";
import { useConnectionStatus } from "../engine/engine-context.ts";
import type { ScreenName } from "../lib/routes.ts";
import { useRoute } from "../lib/use-route.ts";
import { CorpusScreen } from "../screens/corpus/CorpusScreen.tsx";
import { JobsScreen } from "../screens/jobs/JobsScreen.tsx";
import { ReflectScreen } from "../screens/reflect/ReflectScreen.tsx";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { DropTarget } from "./DropTarget.tsx";
import { Palette } from "./Palette.tsx";
import { Rail } from "./Rail.tsx";
import { ScreenBoundary } from "./ScreenBoundary.tsx";
import classes from "./Shell.module.css";
import { useShortcuts } from "./shortcuts.ts";
import { Toasts } from "./Toasts.tsx";

// WebGL and its layout are needed on this screen only
const GraphScreen = lazy(() => import("../screens/graph/GraphScreen.tsx"));

export function Shell() {
  const route = useRoute();
  const status = useConnectionStatus();
  const [isPaletteOpen, setIsPaletteOpen] = useState(false);
  useShortcuts({ openPalette: () => setIsPaletteOpen(true) });
  return (
    <div className={classes.shell}>
      <Rail screen={route.screen} onOpenPalette={() => setIsPaletteOpen(true)} />
      <div className={classes.column}>
        <ConnectionBanner status={status} />
        <main className={classes.main}>
          <ScreenBoundary key={route.screen}>
            <Suspense fallback={<LoadingRows what="The screen" nRows={4} />}>
              <Screen name={route.screen} />
            </Suspense>
          </ScreenBoundary>
        </main>
      </div>
      <DropTarget />
      <Toasts />
      <Palette isOpen={isPaletteOpen} onClose={() => setIsPaletteOpen(false)} />
    </div>
  );
}

function Screen({ name }: { name: ScreenName }) {
  if (name === "graph") return <GraphScreen />;
  if (name === "reflect") return <ReflectScreen />;
  if (name === "jobs") return <JobsScreen />;
  return <CorpusScreen />;
}
