import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../main/shared/rpc/wire.ts";

const bytes = fc.uint8Array({ maxLength: 40 });
const floats = fc.float32Array({ maxLength: 20 });
/** Every value that a frame may hold, with keys chosen to collide with the format's own marks. */
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
    fc.double(),
    bytes,
    floats,
    fc.array(tie("any"), { maxLength: 5 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("$bytes", "$floats", "$number", "$$bytes", "__proto__", "constructor")),
      tie("any"),
      {
        maxKeys: 5,
        noNullPrototype: true,
      },
    ),
  ),
})).any;

describe("wire format", () => {
  it("gives back every value that was sent", () => {
    const isKept = fc.property(value, (sent) => {
      expect(decodeMessage(encodeMessage(sent))).toEqual(sent);
    });
    fc.assert(isKept, { numRuns: 500 });
  });

  it("keeps properties apart that look like the format's own marks", () => {
    const sent = JSON.parse('{"$bytes":[0,1],"__proto__":{"x":1},"$number":"NaN"}') as object;
    const received = decodeMessage(encodeMessage(sent)) as object;
    expect(Object.keys(received)).toEqual(Object.keys(sent));
    expect(JSON.stringify(received)).toBe(JSON.stringify(sent));
  });

  it("reads a message that starts in the middle of a buffer", () => {
    const message = encodeMessage({ pdf: new Uint8Array([1, 2, 3]), scores: new Float32Array([0.5]) });
    const padded = new Uint8Array(message.length + 3);
    padded.set(message, 3);
    expect(decodeMessage(padded.subarray(3))).toEqual({
      pdf: new Uint8Array([1, 2, 3]),
      scores: new Float32Array([0.5]),
    });
  });

  it("returns arrays that do not share the message's memory", () => {
    const message = encodeMessage(new Uint8Array([7]));
    const received = decodeMessage(message) as Uint8Array;
    message.fill(0);
    expect(received[0]).toBe(7);
  });

  it("answers any bytes with a value or VALIDATION_FAILED", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        try {
          decodeMessage(noise);
        } catch (error) {
          expect(error).toMatchObject({ code: "VALIDATION_FAILED" });
        }
      }),
      { numRuns: 500 },
    );
    const good = encodeMessage({ a: new Uint8Array(9) });
    expect(() => decodeMessage(good.subarray(0, good.length - 8))).toThrow("cut off");
  });

  it("refuses what structured clone would carry and JSON would lose", () => {
    expect(() => encodeMessage({ at: new Date(0) })).toThrow(TypeError);
    expect(() => encodeMessage({ n: 1n })).toThrow(TypeError);
  });
});
