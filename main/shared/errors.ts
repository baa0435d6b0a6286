/** What went wrong in terms a user can act on. Bugs stay plain Errors and become INTERNAL at the edge. */
export const errorCodes = {
  VALIDATION_FAILED: "VALIDATION_FAILED",
  NOT_FOUND: "NOT_FOUND",
  CONFLICT: "CONFLICT",
  CANCELLED: "CANCELLED",
  IMPORT_UNSUPPORTED: "IMPORT_UNSUPPORTED",
  IMPORT_UNREADABLE: "IMPORT_UNREADABLE",
  DB_CORRUPT: "DB_CORRUPT",
  DB_READONLY: "DB_READONLY",
  DB_TOO_NEW: "DB_TOO_NEW",
  DISK_FULL: "DISK_FULL",
  WORKSPACE_LOCKED: "WORKSPACE_LOCKED",
  NODE_TOO_OLD: "NODE_TOO_OLD",
  NETWORK_FAILED: "NETWORK_FAILED",
  MODEL_NOT_FOUND: "MODEL_NOT_FOUND",
  MODEL_INVALID: "MODEL_INVALID",
  MODEL_INCOMPATIBLE: "MODEL_INCOMPATIBLE",
  ADAPTER_INVALID: "ADAPTER_INVALID",
  PARITY_FAILED: "PARITY_FAILED",
  PARITY_NOT_PROVABLE: "PARITY_NOT_PROVABLE",
  CONTEXT_OVERFLOW: "CONTEXT_OVERFLOW",
  OUT_OF_MEMORY: "OUT_OF_MEMORY",
  EMBEDDER_UNAVAILABLE: "EMBEDDER_UNAVAILABLE",
  GENERATION_FAILED: "GENERATION_FAILED",
  DEVICE_UNAVAILABLE: "DEVICE_UNAVAILABLE",
  TRAINER_MISSING: "TRAINER_MISSING",
  TRAINER_CONFIG: "TRAINER_CONFIG",
  TRAINER_PROTOCOL: "TRAINER_PROTOCOL",
  TRAINER_CRASHED: "TRAINER_CRASHED",
  HOST_CRASHED: "HOST_CRASHED",
  ENGINE_GONE: "ENGINE_GONE",
  INTERRUPTED: "INTERRUPTED",
  INTERNAL: "INTERNAL",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** The form in which an error crosses a process boundary, is stored with a job and is printed with --json. */
export type SerializedError = {
  code: ErrorCode;
  message: string;
  hint?: string;
  details?: Record<string, unknown>;
};

export type AppErrorOptions = {
  /** What the user can do next. */
  hint?: string | undefined;
  details?: Record<string, unknown> | undefined;
  cause?: unknown;
};

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown> | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && value in errorCodes;
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

export function serializeError(error: unknown): SerializedError {
  if (error instanceof AppError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.details === undefined ? {} : { details: error.details }),
    };
  }
  if (isDiskFull(error)) {
    return {
      code: "DISK_FULL",
      message: "The disk is full",
      hint: "Free some space on the workspace's disk, then run the same command again; it goes on where it stopped.",
    };
  }
  return { code: "INTERNAL", message: error instanceof Error ? error.message : String(error) };
}

export function deserializeError(error: SerializedError): AppError {
  return new AppError(isErrorCode(error.code) ? error.code : "INTERNAL", error.message, {
    hint: error.hint,
    details: error.details,
  });
}

/** ENOSPC and EDQUOT from the file system, SQLITE_FULL from SQLite. */
function isDiskFull(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === "ENOSPC" || code === "EDQUOT" || code === "SQLITE_FULL";
}

const RESOURCE_CODES = new Set<ErrorCode>([
  "MODEL_NOT_FOUND",
  "OUT_OF_MEMORY",
  "EMBEDDER_UNAVAILABLE",
  "DEVICE_UNAVAILABLE",
  "TRAINER_MISSING",
  "DISK_FULL",
  "NODE_TOO_OLD",
  "NETWORK_FAILED",
]);
const INPUT_CODES = new Set<ErrorCode>([
  "VALIDATION_FAILED",
  "NOT_FOUND",
  "CONFLICT",
  "IMPORT_UNSUPPORTED",
  "IMPORT_UNREADABLE",
  "DB_TOO_NEW",
  "DB_CORRUPT",
  "WORKSPACE_LOCKED",
  "MODEL_INVALID",
  "MODEL_INCOMPATIBLE",
  "ADAPTER_INVALID",
  "PARITY_FAILED",
  "PARITY_NOT_PROVABLE",
  "TRAINER_CONFIG",
]);

/** Exit codes of the command line: 2 bad usage or input, 3 a resource is missing, 4 stopped and resumable, 1 anything else. */
export function exitCodeOf(code: ErrorCode): 1 | 2 | 3 | 4 {
  if (code === "CANCELLED" || code === "INTERRUPTED") return 4;
  if (INPUT_CODES.has(code)) return 2;
  if (RESOURCE_CODES.has(code)) return 3;
  return 1;
}
