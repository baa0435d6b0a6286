import type { Db } from "../db/index.ts";

const KEY = "device";

/** The device that a workspace was told to use. */
export function createDeviceStore(db: Db) {
  const select = db.prepare<[string], { value: string }>("SELECT value FROM setting WHERE key = ?");
  const upsert = db.prepare(`
    INSERT INTO setting (key, value) VALUES (@key, @value)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value`);
  return {
    wanted: (): string | null => select.get(KEY)?.value ?? null,
    setWanted: (device: string): void => void upsert.run({ key: KEY, value: device }),
  };
}
