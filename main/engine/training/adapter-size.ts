import { z } from "zod";
import { type GgufHeader, readGgufHeader } from "../gguf/index.ts";
import { Lora } from "../recipe/index.ts";

const TENSOR_OF_TARGET: Record<Lora["targets"][number], string> = {
  q: "attn_q",
  k: "attn_k",
  v: "attn_v",
  o: "attn_output",
  gate: "ffn_gate",
  up: "ffn_up",
  down: "ffn_down",
};
/** The trainer takes a target by the recipe's name, by GGUF's (attn_q) and by PEFT's (q_proj). */
const TENSOR_OF_NAME = new Map(
  Object.entries(TENSOR_OF_TARGET).flatMap(([target, tensor]) =>
    [target, tensor, `${target}_proj`].map((name) => [name, tensor]),
  ),
);
const DEFAULT_R = 16;

/** A checkpoint holds the weights of the adapter and two moments of each. */
export const CHECKPOINT_ADAPTERS = 3;

/** What of `lora` makes the size. Settings come as the user wrote them: what does not parse is the trainer's to refuse. */
export const LoraSize = z.looseObject({
  r: Lora.shape.r.optional(),
  targets: z.array(z.string().refine((name) => TENSOR_OF_NAME.has(name))).optional(),
});
type LoraSize = z.infer<typeof LoraSize>;

/** r rows and r columns in F32 beside every matrix that is trained. */
export function adapterBytes({ tensors }: Pick<GgufHeader, "tensors">, lora: LoraSize): number {
  const { r = DEFAULT_R, targets = Object.keys(TENSOR_OF_TARGET) } = lora;
  const wanted = new Set(targets.map((target) => TENSOR_OF_NAME.get(target)));
  const trained = tensors.filter(({ name }) => {
    const tensor = /^blk\.\d+\.(\w+)\.weight$/.exec(name)?.[1];
    return tensor !== undefined && wanted.has(tensor);
  });
  return trained.reduce((sum, { shape: [nIn = 0, nOut = 0] }) => sum + 4 * r * (nIn + nOut), 0);
}

export async function adapterBytesOf(modelPath: string, lora: LoraSize): Promise<number> {
  return adapterBytes(await readGgufHeader(modelPath), lora);
}
