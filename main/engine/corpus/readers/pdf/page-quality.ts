import type { PageQuality } from "../../../../shared/contract/corpus.ts";

/** Below this share of letters and digits a page is formulas, line art or an encoding that nobody can read. */
const MIN_READABLE_SHARE = 0.6;

/** `none`: not one letter or digit, so a scan or a picture. `poor`: mostly signs that are no letters and digits. */
export function pageQuality(text: string): PageQuality {
  const nVisible = text.match(/\S/gu)?.length ?? 0;
  const nReadable = text.match(/[\p{L}\p{N}]/gu)?.length ?? 0;
  if (nReadable === 0) return "none";
  return nReadable / nVisible < MIN_READABLE_SHARE ? "poor" : "good";
}
