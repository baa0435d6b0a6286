export { formatBytes } from "../../main/shared/format-bytes.ts";

const integer = new Intl.NumberFormat("en");
const dateTime = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });
const shortDate = new Intl.DateTimeFormat("en", { dateStyle: "medium" });

export function formatCount(n: number): string {
  return integer.format(n);
}

/** "1 page", "12 pages". */
export function plural(n: number, singular: string, many = `${singular}s`): string {
  return `${formatCount(n)} ${n === 1 ? singular : many}`;
}

/** 0..1 as a whole percentage; what is not zero is not shown as zero. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.01) return "< 1 %";
  return `${Math.round(share * 100)} %`;
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A coarse duration for what is only an estimate. */
export function formatEstimate(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 5) return "a few seconds";
  if (seconds < 90) return `${Math.ceil(seconds / 5) * 5} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 360) / 10} h`;
}

export function formatRate(perSecond: number, unit: string): string {
  if (perSecond >= 0.95)
    return `${perSecond < 10 ? perSecond.toFixed(1) : formatCount(Math.round(perSecond))} ${unit}/s`;
  return `${(perSecond * 60).toFixed(1)} ${unit}/min`;
}

export function formatRelative(at: number, now: number): string {
  const seconds = Math.max(0, (now - at) / 1000);
  if (seconds < 45) return "just now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 30 * 86_400) return plural(Math.round(seconds / 86_400), "day") + " ago";
  return shortDate.format(at);
}

export function formatExactTime(at: number): string {
  return dateTime.format(at);
}
