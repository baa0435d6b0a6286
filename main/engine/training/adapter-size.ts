import { type GgufHeader, readGgufHeader } from "../gguf/index.ts";

const TENSOR_OF_TARGET: Record<string, string> = {
  q: "attn_q",
  k: "attn_k",
  v: "attn_v",
  o: "attn_output",
  gate: "ffn_gate",
  up: "ffn_up",
  down: "ffn_down",
};
const DEFAULT_R = 16;

/** A checkpoint holds the weights of the adapter and two moments of each. */
export const CHECKPOINT_ADAPTERS = 3;

type LoraSize = { r?: number | undefined; targets?: readonly string[] | undefined };

/** r rows and r columns in F32 beside every matrix that is trained. */
export function adapterBytes({ tensors }: Pick<GgufHeader, "tensors">, lora: LoraSize): number {
  const { r = DEFAULT_R, targets = Object.keys(TENSOR_OF_TARGET) } = lora;
  const names = targets.map((target) => TENSOR_OF_TARGET[target]);
  const trained = tensors.filter(({ name }) => names.includes(/^blk\.\d+\.(\w+)\.weight$/.exec(name)?.[1]));
  return trained.reduce((sum, { shape: [nIn = 0, nOut = 0] }) => sum + 4 * r * (nIn + nOut), 0);
}

export async function adapterBytesOf(modelPath: string, lora: LoraSize): Promise<number> {
  return adapterBytes(await readGgufHeader(modelPath), lora);
}
