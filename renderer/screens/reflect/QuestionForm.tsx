import { Button, NumberInput, Select, Switch, Textarea } from "@mantine/core";
import { IconVersions } from "@tabler/icons-react";
import type { AdapterRow, ModelRow } from "../../../main/shared/contract/model.ts";
import type { ReflectInput } from "../../../main/shared/contract/reflection.ts";
import { describeTraining } from "../../../main/shared/describe-training.ts";
import { ErrorNotice } from "../../components/ErrorNotice.tsx";
import { Loaded } from "../../components/Loaded.tsx";
import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { formatBytes } from "../../lib/format.ts";
import { navigate } from "../../lib/use-route.ts";
import { NoModel } from "./NoModel.tsx";
import classes from "./Reflect.module.css";
import { useReflectView } from "./reflect-view.ts";

const MOST_ITERATIONS = 20;
const MOST_CHARS = 8000;

export function QuestionForm() {
  const models = useEngineQuery("model.list", {});
  return (
    <div className={classes.formColumn}>
      <Loaded query={models} what="The models">
        {(rows) => {
          const present = rows.filter((model) => model.isPresent);
          return present.length === 0 ? <NoModel /> : <Form models={present} />;
        }}
      </Loaded>
    </div>
  );
}

function Form({ models }: { models: ModelRow[] }) {
  const view = useReflectView();
  const set = useReflectView.setState;
  const { data: adapters = [] } = useEngineQuery("model.listAdapters", {});
  const { data: workspace } = useEngineQuery("workspace.status", {});
  const start = useEngineCommand("reflection.start");
  const model = models.find(({ id }) => id === view.modelId) ?? models[0]!;
  const fitting = adapters.filter((adapter) => adapter.modelId === null || adapter.modelId === model.id);
  const adapter = fitting.find(({ path }) => path === view.adapterPath);
  const critic = models.find(({ id }) => id === view.criticId);
  const hasDocuments = (workspace?.nDocuments ?? 0) > 0;
  const question = view.question.trim();

  const ask = () => {
    if (!question || start.isPending) return;
    const input: ReflectInput = {
      question,
      model: model.id,
      ...(adapter ? { adapter: adapter.path } : {}),
      ...(critic ? { critic: critic.id } : {}),
      iterations: view.nIterations,
      retrieve: view.isRetrieving && hasDocuments,
      integrate: view.isIntegrating,
    };
    start.mutate(input, {
      onSuccess: ({ reflectionId }) => {
        set({ question: "" });
        navigate({ screen: "reflect", reflectionId });
      },
    });
  };

  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <h2 className={classes.formTitle}>
        <IconVersions size={18} stroke={1.6} aria-hidden /> Ask, and see how the reasoning changes
      </h2>
      <Textarea
        label="Question"
        classNames={{ input: classes.question ?? "" }}
        autosize
        minRows={3}
        maxRows={10}
        maxLength={MOST_CHARS}
        data-focus-search
        value={view.question}
        placeholder="How does the graphene content change the rate capability of LiFePO4 cathodes?"
        onChange={(event) => set({ question: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
        }}
      />
      <div className={classes.fields}>
        <Select
          label="Model"
          description="Thinks and answers"
          allowDeselect={false}
          data={models.map(({ id, name, quantisation, sizeBytes }) => ({
            value: id,
            label: `${name} · ${quantisation} · ${formatBytes(sizeBytes)}`,
          }))}
          value={model.id}
          onChange={(modelId) => set({ modelId, adapterPath: null })}
        />
        <Select
          label="Adapter"
          description="What your papers taught it"
          data={fitting.map((row) => ({ value: row.path, label: labelOfAdapter(row) }))}
          value={adapter?.path ?? null}
          placeholder={fitting.length > 0 ? "None: the base model" : "None trained for this model yet"}
          disabled={fitting.length === 0}
          clearable
          onChange={(adapterPath) => set({ adapterPath })}
        />
        <Select
          label="Critic"
          description="Finds what is weak in the thinking"
          data={models.map(({ id, name }) => ({ value: id, label: name }))}
          value={critic?.id ?? null}
          placeholder="The same model without its adapter"
          clearable
          onChange={(criticId) => set({ criticId })}
        />
        <NumberInput
          label="Iterations"
          description="Rounds of critique after the draft"
          min={0}
          max={MOST_ITERATIONS}
          clampBehavior="strict"
          value={view.nIterations}
          onChange={(value) => {
            if (typeof value === "number") set({ nIterations: value });
          }}
        />
      </div>
      <p className={`dim small ${classes.training}`}>
        {model.name}: {describeTraining(model.training)}
      </p>
      <div className={classes.switches}>
        <Switch
          label="Give it passages from the corpus"
          description={
            hasDocuments ? "The nearest chunks are shown to the model and listed as sources" : "The corpus is empty"
          }
          checked={view.isRetrieving && hasDocuments}
          disabled={!hasDocuments}
          onChange={(event) => set({ isRetrieving: event.currentTarget.checked })}
        />
        <Switch
          label="Merge all answers into one at the end"
          description="The critic writes one answer from those of all iterations"
          checked={view.isIntegrating}
          onChange={(event) => set({ isIntegrating: event.currentTarget.checked })}
        />
      </div>
      {start.error && <ErrorNotice what="The question was not asked" error={start.error} />}
      <div className={classes.submit}>
        <Button type="submit" size="sm" loading={start.isPending} disabled={!question}>
          Ask
        </Button>
        <span className="dim">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd>
        </span>
      </div>
    </form>
  );
}

function labelOfAdapter({ name, r, parityVerdict }: AdapterRow): string {
  const proof = {
    passed: "parity proven",
    failed: "parity failed",
    not_provable: "parity not provable",
    not_checked: "parity not checked",
  }[parityVerdict];
  return `${name} · r ${r} · ${proof}`;
}
