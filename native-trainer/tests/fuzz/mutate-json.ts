/** Damage to JSON that is still nearly JSON: wrong types, huge numbers, other keys, depth, odd text. */
import { mutateBytes } from "./mutate-bytes.ts";
import type { Random } from "./random.ts";

type Json = Record<string, unknown>;

/** Texts of values, some of them no JSON. */
const oddValues: ((random: Random) => string)[] = [
  (random) =>
    random.pick(["null", "true", "false", "0", "-0", "1", "-1", "0.5", "2", "3", "17", "1.0", "1e0", "512", "511"]),
  (random) => random.pick(["1e308", "1e999", "-1e999", "1e-400", "9007199254740993", "-9223372036854775808"]),
  (random) => random.pick(["18446744073709551615", "18446744073709551616", "4294967296", "2147483648", "1048576"]),
  (random) => "9".repeat(random.pick([20, 400, 100_000])),
  (random) =>
    random.pick(["NaN", "nan", "Infinity", "-Infinity", "0x10", "01", "1.", ".5", "+1", "1e", "undefined", "'a'"]),
  (random) =>
    random.pick(['""', '"a"', '"1"', '"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\x"', '"/"', '".."', '"out"']),
  (random) => JSON.stringify("x".repeat(random.pick([300, 5000, 200_000]))),
  (random) =>
    random.pick(["[]", "{}", "[[]]", "[null]", "[{}]", '{"a":1}', "[1.5]", '["1"]', "[true]", "[1,]", "[,1]"]),
  (random) => nested(random, random.pick([10, 100, 10_000, 300_000])),
  (random) => `[${Array.from({ length: random.pick([1, 50, 3000]) }, () => random.below(512)).join(",")}]`,
  (random) => JSON.stringify(random.pick(choices)),
];

const choices = [
  "orpo",
  "exo",
  "dpo",
  "robust",
  "ipo",
  "simpo",
  "sft",
  "linear",
  "cosine",
  "base",
  "adapter_in",
  "f32",
  "cpu",
  "auto",
  "cuda0",
  "q",
  "q_proj",
];

function nested(random: Random, depth: number): string {
  const [open, close] = random.pick([
    ["[", "]"],
    ['{"a":', "}"],
    ['[{"a":', "}]"],
  ] as const);
  const middle = random.pick(["1", "", "[]"]);
  return open.repeat(depth) + middle + (random.chance(0.7) ? close.repeat(depth) : "");
}

export function mutateConfig(random: Random, original: Json): Buffer {
  let text = mutateObject(random, original, configKeys, 1 + random.below(3));
  if (random.chance(0.2)) text = oddities(random, text);
  const bytes = Buffer.from(text, "latin1");
  return random.chance(0.15) ? mutateBytes(random, bytes, bytes) : bytes;
}

export function mutatePairs(random: Random, lines: Json[]): Buffer {
  const texts = lines.map((line) => JSON.stringify(line));
  for (let i = 1 + random.below(2); i > 0; i--) {
    const n = random.below(lines.length);
    texts[n] = mutatePair(random, lines[n] ?? {});
  }
  let text = texts.join(random.pick(["\n", "\n", "\n", "\r\n", "\n\n", " \n", ""])) + random.pick(["\n", ""]);
  if (random.chance(0.2)) text = oddities(random, text);
  const bytes = Buffer.from(text, "latin1");
  return random.chance(0.2) ? mutateBytes(random, bytes, bytes) : bytes;
}

function mutatePair(random: Random, pair: Json): string {
  const way = random.below(5);
  if (way === 0) return mutateElement(random, pair);
  if (way === 1) return longPair(random, pair);
  return mutateObject(random, pair, pairKeys, 1 + random.below(2));
}

/** One id or mask value becomes something else. */
function mutateElement(random: Random, pair: Json): string {
  const key = random.pick(Object.keys(pair).filter((name) => Array.isArray(pair[name])));
  const list = [...(pair[key] as unknown[])];
  list[random.below(list.length + 1)] = marker;
  return JSON.stringify({ ...pair, [key]: list }).replace(JSON.stringify(marker), () => random.pick(oddValues)(random));
}

function longPair(random: Random, pair: Json): string {
  const list = Array.from({ length: random.pick([100, 3000, 200_000]) }, () => random.below(512));
  const spaces = " ".repeat(random.pick([0, 1_000_000]));
  return spaces + JSON.stringify({ ...pair, [random.pick(["prompt", "chosen", "rejected", "chosen_mask"])]: list });
}

/** Values that a config may have, so that not every mutated one is refused at its first key. */
const rightValues: Record<string, readonly string[]> = {
  adapter_in: ["null", '"../seeds/adapter.gguf"'],
  loss: [
    '"orpo"',
    '"exo"',
    '"dpo"',
    '"robust"',
    '"ipo"',
    '"simpo"',
    '"sft"',
    '[{"name":"dpo"},{"name":"sft","weight":0.2,"completion_only_loss":true}]',
    '[{"name":"simpo","beta":2,"gamma":1,"weight":1e6},{"name":"robust","label_smoothing":0.4}]',
    '[{"name":"dpo","weight":0}]',
  ],
  gamma: ["0", "0.5", "1e6"],
  completion_only_loss: ["true", "false"],
  eval_pairs: ['"../seeds/pairs-masked.jsonl"'],
  eval_every_steps: ["0", "1", "1000000000"],
  reference_cache: ['"cache"', '"config.json"', '"out.gguf"'],
  beta: ["1e-9", "0.5", "1e6"],
  label_smoothing: ["1e-9", "0.5"],
  reference: ['"base"', '"adapter_in"'],
  reference_adapter: ['"../seeds/adapter.gguf"'],
  learning_rate: ["1e-12", "0.1", "10"],
  schedule: ['"linear"', '"cosine"'],
  warmup_steps: ["1", "1000000000"],
  adam_beta1: ["0", "0.999999"],
  adam_beta2: ["0", "0.999999999"],
  adam_eps: ["1e-20", "1"],
  weight_decay: ["0.1", "10"],
  max_grad_norm: ["0", "1e-9", "1e9"],
  gradient_accumulation_steps: ["1", "3", "1000000"],
  epochs: ["1", "1000000"],
  max_steps: ["null", "1", "1000000000"],
  shuffle: ["false"],
  seed: ["0", "9007199254740991"],
  "lora.dropout": ["0.1", "0.9"],
  "lora.r": ["4", "8", "1024"],
  "lora.alpha": ["1e6", "1e-6"],
  max_length: ["2", "17", "1048576"],
  threads: ["1", "2", "1024"],
  precision: ['"f32"', '"auto"'],
  "checkpoint.every_steps": ["0", "1", "1000000000"],
  resume: ["true"],
  memory_limit_mb: ["1", "12", "64", "1073741824"],
};

const marker = "@odd@";
const pairKeys = ["id", "prompt", "chosen", "rejected", "chosen_mask", "rejected_mask", "other"];
const configKeys =
  `model adapter_in adapter_out pairs eval_pairs eval_every_steps reference_cache loss beta label_smoothing gamma completion_only_loss reference reference_adapter learning_rate schedule warmup_steps
   adam_beta1 adam_beta2 adam_eps weight_decay max_grad_norm gradient_accumulation_steps epochs max_steps shuffle seed lora max_length
   device threads precision checkpoint resume memory_limit_mb lora.r lora.alpha lora.dropout lora.targets checkpoint.path
   checkpoint.every_steps unknown`.split(/\s+/);

/** Changes, adds, removes, renames and doubles keys; "a.b" is key b of object a. */
function mutateObject(random: Random, original: Json, keys: string[], times: number): string {
  const object = structuredClone(original);
  const odd: string[] = [];
  for (let i = 0; i < times; i++) {
    const path = random.pick(random.chance(0.5) ? keys : Object.keys(object));
    const [first = "", second] = path.split(".");
    const inner: Json = second === undefined ? object : { ...(typeof object[first] === "object" ? object[first] : {}) };
    if (second !== undefined) object[first] = inner;
    const key = second ?? first;
    if (random.chance(0.1)) delete inner[key];
    else {
      inner[key] = marker + i;
      const right = rightValues[path];
      odd[i] = right && random.chance(0.7) ? random.pick(right) : random.pick(oddValues)(random);
    }
  }
  let text = JSON.stringify(object);
  odd.forEach((value, i) => (text = text.replace(JSON.stringify(marker + i), () => value)));
  if (random.chance(0.05)) text = text.replace("{", () => `{"${random.pick(keys)}":${random.pick(oddValues)(random)},`);
  return text;
}

/** `text` holds bytes as latin1, so that "\xff" is a byte that no UTF-8 has. */
function oddities(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const odd = random.pick([
    "\xff",
    "\xc0\x80",
    "\xed\xa0\x80",
    "\xef\xbb\xbf",
    "\0",
    "\x1f",
    "//",
    "/**/",
    "}",
    "]",
    ",",
    '"',
    "\\",
  ]);
  if (random.chance(0.2)) return odd + text;
  if (random.chance(0.2)) return text + odd;
  return text.slice(0, at) + odd + text.slice(at);
}
