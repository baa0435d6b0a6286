import { Loader } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconCircleMinus, IconClock } from "@tabler/icons-react";
import type { JobStatus } from "../../main/shared/contract/job.ts";

/** The sign of a job's state; the word stands beside it. */
export function JobStatusIcon({ status }: { status: JobStatus }) {
  if (status === "running") return <Loader size={16} aria-hidden />;
  if (status === "queued") return <IconClock size={16} color="var(--dim)" aria-hidden />;
  if (status === "succeeded") return <IconCircleCheck size={16} color="var(--chosen)" aria-hidden />;
  if (status === "cancelled") return <IconCircleMinus size={16} color="var(--dim)" aria-hidden />;
  return <IconAlertTriangle size={16} color="var(--rejected)" aria-hidden />;
}
