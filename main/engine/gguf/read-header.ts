import { type FileHandle, open } from "node:fs/promises";
import { AppError } from "../../shared/errors.ts";
import { type ByteReader, createByteReader, GgufDamage } from "./byte-reader.ts";
import { type TensorType, tensorTypeOf } from "./tensor-types.ts";

export type GgufScalar = string | number | boolean;
/** `items` is null when the array was longer than the caller wanted to keep. */
export type GgufArray = { length: number; items: GgufScalar[] | null };
export type GgufValue = GgufScalar | GgufArray;
export type GgufTensor = {
  name: string;
  type: TensorType;
  /** ggml's order: the first dimension is contiguous. */
  shape: number[];
  /** From the start of the file. */
  start: number;
  sizeBytes: number;
};
export type GgufHeader = {
  path: string;
  version: number;
  sizeBytes: number;
  metadata: Map<string, GgufValue>;
  tensors: GgufTensor[];
};

/** 2 and 3 with their bytes in the other order. */
const BIG_ENDIAN_VERSIONS = new Set([0x02_00_00_00, 0x03_00_00_00]);
const MAX_METADATA = 65_536;
const MAX_TENSORS = 65_536;
const MAX_KEY_BYTES = 65_535;
const MAX_DIMENSIONS = 4;
const DEFAULT_ALIGNMENT = 32;
const KEPT_ITEMS = 1024;

/**
 * Metadata and tensor table of a GGUF file (versions 2 and 3, little-endian), with every tensor's extent checked
 * against the file. llama.cpp may abort the process on a damaged file, so nothing reaches it before this has passed.
 * Errors: MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  const file = await openFile(path);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new AppError("MODEL_INVALID", `${path} is not a file`);
    return await readHeader(path, file, stats.size);
  } catch (error) {
    if (!(error instanceof GgufDamage)) throw error;
    throw new AppError("MODEL_INVALID", `${path} is not a whole GGUF file: ${error.message}`, {
      hint: "The download or copy may have been cut short. Get the file again and compare its size.",
      cause: error,
    });
  } finally {
    await file.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
    throw new AppError("MODEL_NOT_FOUND", `There is no readable model file ${path}`, {
      hint: "Check the path, or get a model with `models get`.",
      cause,
    });
  }
}

async function readHeader(path: string, file: FileHandle, sizeBytes: number): Promise<GgufHeader> {
  const reader = createByteReader(file, sizeBytes);
  reader.require(24, "the header");
  const magic = await reader.text(4);
  if (magic !== "GGUF") throw new GgufDamage("it does not begin with GGUF");
  const version = await reader.u32();
  if (BIG_ENDIAN_VERSIONS.has(version))
    throw new AppError("MODEL_INVALID", `${path} is big-endian: made for machines of another byte order`, {
      hint: "Get the model's little-endian file, which nearly all are, or convert it with llama.cpp's gguf_convert_endian.py.",
    });
  if (version !== 2 && version !== 3) throw new GgufDamage(`version ${version} is neither 2 nor 3`);
  const nTensors = await reader.u64();
  const nMetadata = await reader.u64();
  if (nTensors > MAX_TENSORS) throw new GgufDamage(`${nTensors} tensors is no possible count`);
  if (nMetadata > MAX_METADATA) throw new GgufDamage(`${nMetadata} metadata entries is no possible count`);
  const metadata = await readMetadata(reader, nMetadata);
  const tensors = await readTensors(reader, nTensors, metadata, sizeBytes);
  return { path, version, sizeBytes, metadata, tensors };
}

async function readMetadata(reader: ByteReader, nMetadata: number): Promise<Map<string, GgufValue>> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < nMetadata; i++) {
    const key = await readText(reader, MAX_KEY_BYTES);
    if (metadata.has(key)) throw new GgufDamage(`the metadata key ${key} stands there twice`);
    metadata.set(key, await readValue(reader, await reader.u32()));
  }
  return metadata;
}

async function readTensors(
  reader: ByteReader,
  nTensors: number,
  metadata: Map<string, GgufValue>,
  sizeBytes: number,
): Promise<GgufTensor[]> {
  const tensors: GgufTensor[] = [];
  const names = new Set<string>();
  for (let i = 0; i < nTensors; i++) {
    const tensor = await readTensor(reader);
    if (names.has(tensor.name)) throw new GgufDamage(`the tensor ${tensor.name} stands there twice`);
    names.add(tensor.name);
    tensors.push(tensor);
  }
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment !== "number" || alignment < 8 || (alignment & (alignment - 1)) !== 0 || alignment > 65_536)
    throw new GgufDamage("general.alignment is not a power of two");
  const dataStart = Math.ceil(reader.position / alignment) * alignment;
  for (const tensor of tensors) {
    if (tensor.start % alignment !== 0) throw new GgufDamage(`the tensor ${tensor.name} is not aligned`);
    tensor.start += dataStart;
    if (tensor.start + tensor.sizeBytes > sizeBytes)
      throw new GgufDamage(
        `the tensor ${tensor.name} ends at byte ${tensor.start + tensor.sizeBytes}, but the file has ${sizeBytes}`,
      );
  }
  return tensors;
}

async function readTensor(reader: ByteReader): Promise<GgufTensor> {
  const name = await readText(reader, MAX_KEY_BYTES);
  const nDimensions = await reader.u32();
  if (nDimensions > MAX_DIMENSIONS) throw new GgufDamage(`the tensor ${name} has ${nDimensions} dimensions`);
  const shape: number[] = [];
  for (let i = 0; i < nDimensions; i++) shape.push(await reader.u64());
  const typeNumber = await reader.u32();
  const type = tensorTypeOf(typeNumber);
  if (!type) throw new GgufDamage(`the tensor ${name} has the unknown type ${typeNumber}`);
  const start = await reader.u64();
  return { name, type, shape, start, sizeBytes: tensorBytes(name, type, shape) };
}

function tensorBytes(name: string, type: TensorType, shape: number[]): number {
  if (shape.some((length) => length < 1)) throw new GgufDamage(`the tensor ${name} has an empty dimension`);
  const rowLength = shape[0] ?? 1;
  if (rowLength % type.blockLength !== 0)
    throw new GgufDamage(`rows of ${rowLength} in the tensor ${name} do not divide into blocks of ${type.name}`);
  const bytes = shape.reduce((product, length) => product * length, 1) * (type.blockBytes / type.blockLength);
  if (!Number.isSafeInteger(bytes)) throw new GgufDamage(`the size of the tensor ${name} is no possible one`);
  return bytes;
}

const ARRAY_TYPE = 9;
const FIXED_BYTES: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

async function readValue(reader: ByteReader, type: number): Promise<GgufValue> {
  if (type !== ARRAY_TYPE) return await readScalar(reader, type);
  const itemType = await reader.u32();
  const length = await reader.u64();
  const itemBytes = FIXED_BYTES[itemType];
  // a text takes at least its eight bytes of length
  reader.require(length * (itemBytes ?? 8), "an array");
  if (length > KEPT_ITEMS && itemBytes !== undefined) {
    reader.skip(length * itemBytes);
    return { length, items: null };
  }
  const items: GgufScalar[] | null = length > KEPT_ITEMS ? null : [];
  for (let i = 0; i < length; i++) {
    if (items) items.push(await readScalar(reader, itemType));
    else reader.skip(await reader.u64());
  }
  return { length, items };
}

async function readScalar(reader: ByteReader, type: number): Promise<GgufScalar> {
  switch (type) {
    case 0:
      return await reader.u8();
    case 1:
      return await reader.i8();
    case 2:
      return await reader.u16();
    case 3:
      return await reader.i16();
    case 4:
      return await reader.u32();
    case 5:
      return await reader.i32();
    case 6:
      return await reader.f32();
    case 7:
      return (await reader.u8()) !== 0;
    case 8:
      return await readText(reader, Number.MAX_SAFE_INTEGER);
    case 10:
      return unsigned64(await reader.i64());
    case 11:
      return await reader.i64();
    case 12:
      return await reader.f64();
    default:
      throw new GgufDamage(`metadata type ${type} does not exist`);
  }
}

/** Metadata may hold hashes, which a number keeps only roughly; counts and offsets are read strictly elsewhere. */
function unsigned64(value: number): number {
  return value < 0 ? value + 2 ** 64 : value;
}

async function readText(reader: ByteReader, maxBytes: number): Promise<string> {
  const nBytes = await reader.u64();
  if (nBytes > maxBytes) throw new GgufDamage(`a name of ${nBytes} bytes at byte ${reader.position}`);
  return await reader.text(nBytes);
}
