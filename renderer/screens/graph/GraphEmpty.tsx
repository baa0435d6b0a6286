import { Button } from "@mantine/core";
import { IconTopologyStar3 } from "@tabler/icons-react";
import { EmptyState } from "../../components/EmptyState.tsx";
import { ErrorNotice } from "../../components/ErrorNotice.tsx";
import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import { hrefOf } from "../../lib/routes.ts";
import { navigate } from "../../lib/use-route.ts";

const FIRST_PAIRS = 4;

/** The graph grows from the thinking of pairs: what is missing for that decides what is offered here. */
export function GraphEmpty() {
  const { data: workspace } = useEngineQuery("workspace.status", {});
  const build = useEngineCommand("graph.build");
  const generate = useEngineCommand("preference.generate");
  const toJob = { onSuccess: ({ jobId }: { jobId: string }) => navigate({ screen: "jobs", jobId }) };
  const { nDocuments = 0, nModels = 0, nPairs = 0 } = workspace ?? {};
  const error = build.error ?? generate.error;
  return (
    <EmptyState
      icon={<IconTopologyStar3 size={44} stroke={1.1} />}
      title="The graph has not begun"
      actions={
        nPairs > 0 ? (
          <Button loading={build.isPending} onClick={() => build.mutate({}, toJob)}>
            Build it from {plural(nPairs, "pair")}
          </Button>
        ) : nDocuments === 0 ? (
          <Button component="a" href={hrefOf({ screen: "corpus" })}>
            Add papers first
          </Button>
        ) : nModels === 0 ? (
          <Button component="a" href={hrefOf({ screen: "reflect" })}>
            Choose a model first
          </Button>
        ) : (
          <Button loading={generate.isPending} onClick={() => generate.mutate({ count: FIRST_PAIRS }, toJob)}>
            Make {FIRST_PAIRS} pairs
          </Button>
        )
      }
    >
      It grows while preference pairs are made: concepts and relations from their thinking, each with the sentences and
      the pages that speak for it.
      {error && <ErrorNotice what="This could not be started" error={error} />}
    </EmptyState>
  );
}
