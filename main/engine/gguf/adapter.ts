import { AppError } from "../../shared/errors.ts";
import { numberOf, textOf } from "./metadata.ts";
import { type GgufHeader, type GgufTensor, readGgufHeader } from "./read-header.ts";

/** Shape of a matrix in ggml's order: (n_in, n_out). */
type MatrixShape = [number, number];
type Target = {
  /** Name of the tensor that the adapter changes. */
  base: string;
  /** (n_in, r) */
  a: MatrixShape;
  /** (r, n_out) */
  b: MatrixShape;
};
export type GgufAdapter = { header: GgufHeader; architecture: string; alpha: number; r: number; targets: Target[] };

/** Errors: MODEL_NOT_FOUND, ADAPTER_INVALID. */
export async function readAdapter(path: string): Promise<GgufAdapter> {
  const header = await readGgufHeader(path).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "MODEL_INVALID")
      throw new AppError("ADAPTER_INVALID", error.message, { hint: error.hint, cause: error });
    throw error;
  });
  const invalid = (why: string) => new AppError("ADAPTER_INVALID", `${path} is no LoRA adapter: ${why}`);
  if (textOf(header, "general.type") !== "adapter") throw invalid("general.type is not adapter");
  if (textOf(header, "adapter.type") !== "lora") throw invalid("adapter.type is not lora");
  const architecture = textOf(header, "general.architecture");
  const alpha = numberOf(header, "adapter.lora.alpha");
  if (!architecture) throw invalid("it names no architecture");
  if (alpha === null || !Number.isFinite(alpha)) throw invalid("it has no adapter.lora.alpha");
  const targets = pairTensors(header, invalid);
  const r = targets[0]?.a[1];
  if (r === undefined) throw invalid("it has no tensors");
  return { header, architecture, alpha, r, targets };
}

/** Throws ADAPTER_INVALID unless the adapter fits this model, tensor by tensor. */
export function checkAdapterFits(adapter: GgufAdapter, model: GgufHeader): void {
  const unfit = (why: string) =>
    new AppError("ADAPTER_INVALID", `The adapter ${adapter.header.path} does not fit ${model.path}: ${why}`, {
      hint: "Choose the model that the adapter was trained on.",
    });
  const architecture = textOf(model, "general.architecture");
  if (architecture !== adapter.architecture)
    throw unfit(`it is for the architecture ${adapter.architecture}, the model is ${architecture ?? "unnamed"}`);
  const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
  for (const { base, a, b } of adapter.targets) {
    const tensor = tensors.get(base);
    if (!tensor) throw unfit(`the model has no tensor ${base}`);
    const shape = matrixShapeOf(tensor);
    if (shape?.[0] !== a[0] || shape[1] !== b[1])
      throw unfit(`${base} is (${tensor.shape.join(", ")}), the adapter expects (${a[0]}, ${b[1]})`);
  }
}

/** ggml leaves trailing dimensions of size 1 out of the file: the `a` of an adapter of rank 1 is written as a row. */
function matrixShapeOf({ shape }: GgufTensor): MatrixShape | null {
  const [nIn = 1, nOut = 1, ...more] = shape;
  return more.every((length) => length === 1) ? [nIn, nOut] : null;
}

function pairTensors(header: GgufHeader, invalid: (why: string) => AppError): Target[] {
  const halves = new Map<string, { a?: GgufTensor; b?: GgufTensor }>();
  for (const tensor of header.tensors) {
    const match = /^(.+)\.lora_([ab])$/.exec(tensor.name);
    if (!match?.[1]) throw invalid(`the tensor ${tensor.name} is neither lora_a nor lora_b`);
    const half = halves.get(match[1]) ?? {};
    half[match[2] as "a" | "b"] = tensor; // the pattern allows no other letter
    halves.set(match[1], half);
  }
  return [...halves].map(([base, { a, b }]) => {
    if (!a || !b) throw invalid(`${base} has only one of lora_a and lora_b`);
    const shapes = { a: matrixShapeOf(a), b: matrixShapeOf(b) };
    if (!shapes.a || !shapes.b || shapes.a[1] !== shapes.b[0])
      throw invalid(`lora_a (${a.shape.join(", ")}) and lora_b (${b.shape.join(", ")}) of ${base} do not multiply`);
    return { base, a: shapes.a, b: shapes.b };
  });
}
