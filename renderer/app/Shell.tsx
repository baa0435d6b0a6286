import { Suspense, useEffect, useState } from "react";
import { LoadingRows } from "../components/Loaded.tsx";
import { useConnectionStatus } from "../engine/engine-context.ts";
import { useRoute } from "../lib/use-route.ts";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { DropTarget } from "./DropTarget.tsx";
import { Palette } from "./Palette.tsx";
import { Rail } from "./Rail.tsx";
import { ScreenBoundary } from "./ScreenBoundary.tsx";
import { screenOf } from "./screens.ts";
import classes from "./Shell.module.css";
import { useShortcuts } from "./shortcuts.ts";
import { Toasts } from "./Toasts.tsx";

export function Shell() {
  const route = useRoute();
  const { Screen, label } = screenOf(route.screen);
  const status = useConnectionStatus();
  const [isPaletteOpen, setIsPaletteOpen] = useState(false);
  useShortcuts({ openPalette: () => setIsPaletteOpen(true) });
  useEffect(() => {
    document.title = `${label} · PRefLexOR Studio`;
  }, [label]);
  return (
    <div className={classes.shell}>
      <Rail screen={route.screen} onOpenPalette={() => setIsPaletteOpen(true)} />
      <div className={classes.column}>
        <ConnectionBanner status={status} />
        <main className={classes.main}>
          <ScreenBoundary key={route.screen}>
            <Suspense fallback={<LoadingRows what="The screen" nRows={4} />}>
              <Screen />
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
