import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { newId } from "../../../main/engine/lib/ids.ts";

afterEach(() => void vi.useRealTimers());

test("ids made within one millisecond sort in the order of making, also over the counter's end and a clock set back", () => {
  vi.useFakeTimers({ now: Date.now() + 60_000 });
  const ids = Array.from({ length: 10_000 }, () => newId<string>());
  vi.setSystemTime(Date.now() - 3_600_000);
  ids.push(newId<string>());
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => z.uuidv7().safeParse(id).success)).toBe(true);
});
