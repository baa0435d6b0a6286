import type { z } from "zod";

/**
 * [Note: contract shapes] A method is one of three: `query` (idempotent, may be cached), `command` (changes
 * something; answers within a second or returns a jobId) and `stream` (an async iterable of items). Facts that
 * the engine announces to everybody are events; they are plain types, since engine and window are one build.
 */
type AnySchema = z.ZodType;
export type Query<I extends AnySchema = AnySchema, O extends AnySchema = AnySchema> = {
  kind: "query";
  input: I;
  output: O;
};
export type Command<I extends AnySchema = AnySchema, O extends AnySchema = AnySchema> = {
  kind: "command";
  input: I;
  output: O;
};
export type Stream<I extends AnySchema = AnySchema, O extends AnySchema = AnySchema> = {
  kind: "stream";
  input: I;
  item: O;
};
export type Method = Query | Command | Stream;
export type Domain = Record<string, Method>;
export type Contract = Record<string, Domain>;

export function query<I extends AnySchema, O extends AnySchema>(shape: { input: I; output: O }): Query<I, O> {
  return { kind: "query", ...shape };
}
export function command<I extends AnySchema, O extends AnySchema>(shape: { input: I; output: O }): Command<I, O> {
  return { kind: "command", ...shape };
}
export function stream<I extends AnySchema, O extends AnySchema>(shape: { input: I; item: O }): Stream<I, O> {
  return { kind: "stream", ...shape };
}

export type CallOptions = { signal?: AbortSignal };

/** What a client sees: `client.corpus.search(input, {signal})`. */
export type Client<C extends Contract> = {
  [D in keyof C]: {
    [M in keyof C[D]]: C[D][M] extends Stream<infer I, infer O>
      ? (input: z.input<I>, options?: CallOptions) => AsyncIterable<z.output<O>>
      : C[D][M] extends { input: infer I extends AnySchema; output: infer O extends AnySchema }
        ? (input: z.input<I>, options?: CallOptions) => Promise<z.output<O>>
        : never;
  };
};

/** What a server implements; a missing or extra handler is a type error. */
export type Handlers<C extends Contract> = {
  [D in keyof C]: {
    [M in keyof C[D]]: C[D][M] extends Stream<infer I, infer O>
      ? (input: z.output<I>, signal: AbortSignal) => AsyncIterable<z.input<O>>
      : C[D][M] extends { input: infer I extends AnySchema; output: infer O extends AnySchema }
        ? (input: z.output<I>, signal: AbortSignal) => z.input<O> | Promise<z.input<O>>
        : never;
  };
};
