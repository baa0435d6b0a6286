import type { Migration } from "../migrate.ts";
import { migration as corpus } from "./0001-corpus.ts";
import { migration as job } from "./0002-job.ts";
import { migration as model } from "./0003-model.ts";
import { migration as preference } from "./0004-preference.ts";
import { migration as training } from "./0005-training.ts";
import { migration as reflection } from "./0006-reflection.ts";
import { migration as graph } from "./0007-graph.ts";
import { migration as stage } from "./0008-stage.ts";
import { migration as trainingData } from "./0009-training-data.ts";
import { migration as statementSpans } from "./0010-statement-spans.ts";
import { migration as device } from "./0011-device.ts";
import { migration as experiment } from "./0012-experiment.ts";
import { migration as mediaType } from "./0013-media-type.ts";
import { migration as modelMarkers } from "./0014-model-markers.ts";

export const migrations: readonly Migration[] = [
  corpus,
  job,
  model,
  preference,
  training,
  reflection,
  graph,
  stage,
  trainingData,
  statementSpans,
  device,
  experiment,
  mediaType,
  modelMarkers,
];
