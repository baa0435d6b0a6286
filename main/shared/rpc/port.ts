/** One end of a two-way channel of structured-clonable messages. Adapters exist for each kind of process boundary. */
export type Port = {
  post(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, when the other end has gone or close() was called. */
  onClose(listener: () => void): void;
  close(): void;
};
