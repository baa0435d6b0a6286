import { Button, Loader } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { useEffect } from "react";
import type { ConnectionStatus } from "../engine/connection.ts";
import { useEngine } from "../engine/engine-context.ts";
import classes from "./ConnectionBanner.module.css";

const RETRY_MS = 3000;

export function ConnectionBanner({ status }: { status: ConnectionStatus }) {
  const engine = useEngine();
  const isBrowser = engine.kind === "browser";
  useEffect(() => {
    // a browser cannot start the engine; it can only see when somebody has
    if (status !== "gone" || !isBrowser) return;
    const timer = window.setInterval(() => void engine.reconnect(), RETRY_MS);
    return () => window.clearInterval(timer);
  }, [status, isBrowser, engine]);
  if (status === "open") return null;
  if (status === "connecting") {
    return (
      <div className={classes.banner} data-tone="wait" role="status">
        <Loader size={14} aria-hidden /> Connecting to the engine…
      </div>
    );
  }
  return (
    <div className={classes.banner} data-tone="gone" role="alert">
      <IconPlugConnectedX size={16} aria-hidden />
      <span>
        <strong>The engine has stopped.</strong> Nothing is lost: what was running goes on when it is back.
        {isBrowser && " Start preflexor serve again, or open the link with the token that it printed."}
      </span>
      <Button variant="default" onClick={() => void engine.reconnect()}>
        {isBrowser ? "Connect again" : "Restart"}
      </Button>
    </div>
  );
}
