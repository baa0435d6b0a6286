import { Button, CopyButton } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useState } from "react";
import { serializeError, type SerializedError } from "../../main/shared/errors.ts";
import classes from "./ErrorNotice.module.css";

export type ErrorNoticeProps = {
  /** What could not be done, as a sentence without its full stop: "The documents could not be listed". */
  what: string;
  error: unknown;
  onRetry?: () => void;
};

/** An error in its place: what happened, what to do, and the details for whoever is asked for help. */
export function ErrorNotice({ what, error, onRetry }: ErrorNoticeProps) {
  const [isOpen, setIsOpen] = useState(false);
  const facts = factsOf(error);
  const details = JSON.stringify({ what, ...facts }, null, 2);
  return (
    <div className={classes.notice} role="alert">
      <IconAlertTriangle size={16} className={classes.icon} aria-hidden />
      <div className={classes.body}>
        <div>
          <strong>{what}.</strong> {facts.message}
        </div>
        {facts.hint && <div className={classes.hint}>{facts.hint}</div>}
        <div className={classes.actions}>
          {onRetry && (
            <Button variant="default" size="compact-xs" onClick={onRetry}>
              Try again
            </Button>
          )}
          <Button
            variant="subtle"
            color="gray"
            size="compact-xs"
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
          >
            {isOpen ? "Hide details" : "Details"}
          </Button>
          <CopyButton value={details}>
            {({ copied, copy }) => (
              <Button variant="subtle" color="gray" size="compact-xs" onClick={copy}>
                {copied ? "Copied" : "Copy"}
              </Button>
            )}
          </CopyButton>
        </div>
        {isOpen && <pre className={classes.details}>{details}</pre>}
      </div>
    </div>
  );
}

/** Errors arrive as thrown values or, with a job, already in their stored form. */
function factsOf(error: unknown): Omit<SerializedError, "code"> & { code: string } {
  if (
    !(error instanceof Error) &&
    typeof error === "object" &&
    error !== null &&
    "code" in error &&
    "message" in error
  ) {
    return error as SerializedError;
  }
  return serializeError(error);
}
