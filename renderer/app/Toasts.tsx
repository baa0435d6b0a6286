import { CloseButton } from "@mantine/core";
import { useEffect } from "react";
import { useEngine } from "../engine/engine-context.ts";
import { hrefOf } from "../lib/routes.ts";
import classes from "./Toasts.module.css";
import { type Toast, useToasts } from "./toast-store.ts";

const SHOWN_MS = 8000;

export function Toasts() {
  const toasts = useToasts((store) => store.toasts);
  useFailedJobToasts();
  return (
    <div className={classes.region} role="status" aria-live="polite">
      {toasts.map((toast) => (
        <ToastCard key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastCard({ toast }: { toast: Toast }) {
  const dismiss = useToasts((store) => store.dismiss);
  useEffect(() => {
    const timer = window.setTimeout(() => dismiss(toast.id), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [toast, dismiss]);
  return (
    <div className={classes.toast} data-error={toast.isError ?? false}>
      <span>{toast.text}</span>
      {toast.href && (
        <a href={toast.href} onClick={() => dismiss(toast.id)}>
          {toast.linkText ?? "Show"}
        </a>
      )}
      <CloseButton size="xs" aria-label="Dismiss" onClick={() => dismiss(toast.id)} />
    </div>
  );
}

function useFailedJobToasts(): void {
  const engine = useEngine();
  const show = useToasts((store) => store.show);
  useEffect(
    () =>
      engine.on("job.changed", ({ job }) => {
        if (job.status !== "failed" || window.location.hash.startsWith("#/jobs")) return;
        show({
          id: job.id,
          text: `${job.title} failed`,
          href: hrefOf({ screen: "jobs", jobId: job.id }),
          isError: true,
        });
      }),
    [engine, show],
  );
}
