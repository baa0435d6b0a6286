import type { Db } from "../db/index.ts";
import type { Clock } from "../lib/clock.ts";

/** Every call over the network, whether it came through or not. Normally empty. */
export type NetworkLedger = {
  record(call: { host: string; purpose: string; bytes: number; status: string }): void;
};

export function createNetworkLedger(db: Db, clock: Clock): NetworkLedger {
  const insert = db.prepare(
    "INSERT INTO network_call (host, purpose, bytes, status, at) VALUES (@host, @purpose, @bytes, @status, @at)",
  );
  return { record: (call) => void insert.run({ ...call, at: clock() }) };
}
