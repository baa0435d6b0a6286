import { Button } from "@mantine/core";
import { IconBooks, IconCircleCheck, IconDownload } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { CatalogEntry } from "../../../main/shared/contract/model.ts";
import { ErrorNotice } from "../../components/ErrorNotice.tsx";
import { useEngine } from "../../engine/engine-context.ts";
import { importSample } from "../../engine/import-documents.ts";
import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { formatBytes, plural } from "../../lib/format.ts";
import { navigate } from "../../lib/use-route.ts";
import classes from "./FirstSteps.module.css";
import { ImportButton } from "./ImportButton.tsx";

const FIRST_PAIRS = 4;

/** The guided path of an empty workspace. */
export function FirstSteps() {
  const { data: workspace } = useEngineQuery("workspace.status", {});
  return (
    <div className={classes.steps}>
      <h2>Turn your papers into a small reasoning model</h2>
      <p className="dim">
        Everything stays on this machine. Drop files or folders anywhere on this window at any time.
      </p>
      <ol>
        <Step n={1} title="Add papers" isDone={false}>
          <p>PDFs are copied into the workspace, read page by page and made searchable by words and by meaning.</p>
          <div className={classes.actions}>
            <ImportButton label="Choose PDFs…" isPrimary />
            {workspace?.sampleCorpusAvailable && <SampleButton />}
          </div>
        </Step>
        <ModelStep nModels={workspace?.nModels ?? 0} />
        <PairsStep
          nPairs={workspace?.nPairs ?? 0}
          isReady={(workspace?.nModels ?? 0) > 0 && (workspace?.nDocuments ?? 0) > 0}
        />
      </ol>
    </div>
  );
}

function SampleButton() {
  const engine = useEngine();
  return (
    <Button
      variant="default"
      leftSection={<IconBooks size={15} aria-hidden />}
      onClick={() => void importSample(engine)}
    >
      Use the sample corpus
    </Button>
  );
}

function ModelStep({ nModels }: { nModels: number }) {
  const engine = useEngine();
  const { data: catalog = [] } = useEngineQuery("model.catalog", {});
  const get = useEngineCommand("model.get");
  const add = useEngineCommand("model.add");
  const offered = nModels > 0 ? [] : catalog.filter(({ kind }) => kind === "chat");
  const addFile = async () => {
    const [path] = (await window.studio?.openFiles("model")) ?? [];
    if (path) add.mutate({ path });
  };
  return (
    <Step n={2} title="Choose a model" isDone={nModels > 0}>
      <p>
        {nModels > 0
          ? `${plural(nModels, "model")} ready.`
          : "A GGUF file of your own, or one from the list. Fetching it is the only step that may use the network."}
      </p>
      <div className={classes.actions}>
        {offered.map((entry) => (
          <GetButton
            key={entry.name}
            entry={entry}
            isBusy={get.isPending}
            onGet={() => get.mutate({ name: entry.name })}
          />
        ))}
        {engine.kind === "desktop" && (
          <Button variant="default" onClick={() => void addFile()}>
            Add a GGUF file…
          </Button>
        )}
      </div>
      {(get.error ?? add.error) && <ErrorNotice what="The model was not added" error={get.error ?? add.error} />}
    </Step>
  );
}

function GetButton({ entry, isBusy, onGet }: { entry: CatalogEntry; isBusy: boolean; onGet(): void }) {
  return (
    <Button variant="default" loading={isBusy} leftSection={<IconDownload size={15} aria-hidden />} onClick={onGet}>
      {/* what an earlier workspace has fetched is on this machine already */}
      {entry.isPresent ? `Use ${entry.name}` : `Get ${entry.name} (${formatBytes(entry.sizeBytes)})`}
    </Button>
  );
}

function PairsStep({ nPairs, isReady }: { nPairs: number; isReady: boolean }) {
  const generate = useEngineCommand("preference.generate");
  const start = () =>
    generate.mutate({ count: FIRST_PAIRS }, { onSuccess: ({ jobId }) => navigate({ screen: "jobs", jobId }) });
  return (
    <Step n={3} title="Make the first pairs" isDone={nPairs > 0}>
      <p>
        Questions from your papers, each with a reasoned and a plain answer: what the model learns from, and what the
        graph grows from.
      </p>
      <div className={classes.actions}>
        <Button variant="default" disabled={!isReady} loading={generate.isPending} onClick={start}>
          Make {FIRST_PAIRS} pairs
        </Button>
        {!isReady && <span className="dim">after the first two steps</span>}
      </div>
      {generate.error && <ErrorNotice what="The pairs were not started" error={generate.error} />}
    </Step>
  );
}

function Step({ n, title, isDone, children }: { n: number; title: string; isDone: boolean; children: ReactNode }) {
  return (
    <li className={classes.step} data-done={isDone}>
      <div className={`${classes.sign} num`}>{isDone ? <IconCircleCheck size={20} aria-label="done" /> : n}</div>
      <div>
        <h3>{title}</h3>
        {children}
      </div>
    </li>
  );
}
