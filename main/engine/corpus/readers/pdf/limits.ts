/** What one document may cost before it is given up. */
export type PdfLimits = {
  timeoutMs: number;
  maxSizeBytes: number;
  maxPages: number;
  /** PDFium's memory, the file itself included. */
  maxMemoryMb: number;
};

export const DEFAULT_PDF_LIMITS: PdfLimits = {
  timeoutMs: 120_000,
  maxSizeBytes: 400 * 2 ** 20,
  maxPages: 5_000,
  maxMemoryMb: 1_024,
};
