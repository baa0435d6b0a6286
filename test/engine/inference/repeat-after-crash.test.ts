import { expect, test } from "vitest";
import { createHostEmbedder } from "../../../main/engine/embedding/index.ts";
import { type ModelHost, repeatAfterCrash } from "../../../main/engine/inference/index.ts";
import { AppError } from "../../../main/shared/errors.ts";
import { ensureDemoModels } from "../../harness/model-cache.ts";

const crashed = () => new AppError("HOST_CRASHED", "The model host died while it was embedding");

test("what died with the host is asked for once more, and a second death is told", async () => {
  let nCalls = 0;
  const once = async () => {
    nCalls += 1;
    if (nCalls === 1) throw crashed();
    return nCalls;
  };
  expect(await repeatAfterCrash(once)).toBe(2);
  nCalls = 0;
  const always = async () => {
    nCalls += 1;
    throw crashed();
  };
  await expect(repeatAfterCrash(always)).rejects.toMatchObject({ code: "HOST_CRASHED" });
  expect(nCalls).toBe(2);
});

test("any other error, and anything after an abort, is told at once", async () => {
  let nCalls = 0;
  const fail = (error: Error) => async () => {
    nCalls += 1;
    throw error;
  };
  await expect(repeatAfterCrash(fail(new Error("no")))).rejects.toThrow("no");
  await expect(repeatAfterCrash(fail(crashed()), AbortSignal.abort())).rejects.toMatchObject({ code: "HOST_CRASHED" });
  expect(nCalls).toBe(2);
});

test("the embedder survives one death of its host", async () => {
  let nCalls = 0;
  const host: Pick<ModelHost, "call"> = {
    async call<T>() {
      nCalls += 1;
      if (nCalls === 1) throw crashed();
      return [3] as T;
    },
  };
  expect(await createHostEmbedder(host, (await ensureDemoModels()).embedderDir).countTokens(["a b c"])).toEqual([3]);
});
