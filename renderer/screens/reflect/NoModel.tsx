import { Button } from "@mantine/core";
import { IconCpu, IconDownload } from "@tabler/icons-react";
import { EmptyState } from "../../components/EmptyState.tsx";
import { ErrorNotice } from "../../components/ErrorNotice.tsx";
import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { formatBytes } from "../../lib/format.ts";

export function NoModel() {
  const { data: catalog = [] } = useEngineQuery("model.catalog", {});
  const get = useEngineCommand("model.get");
  const add = useEngineCommand("model.add");
  const addFile = async () => {
    const [path] = (await window.studio?.openFiles("model")) ?? [];
    if (path) add.mutate({ path });
  };
  const error = get.error ?? add.error;
  return (
    <EmptyState
      icon={<IconCpu size={40} stroke={1.2} />}
      title="No model yet"
      actions={
        <>
          {catalog
            .filter(({ kind }) => kind === "chat")
            .map(({ name, sizeBytes, isPresent }) => (
              <Button
                key={name}
                loading={get.isPending}
                leftSection={<IconDownload size={15} aria-hidden />}
                onClick={() => get.mutate({ name })}
              >
                {isPresent ? `Use ${name}` : `Get ${name} (${formatBytes(sizeBytes)})`}
              </Button>
            ))}
          {window.studio && (
            <Button variant="default" onClick={() => void addFile()}>
              Add a GGUF file…
            </Button>
          )}
        </>
      }
    >
      A model of the GGUF kind thinks and answers here, on this machine.
      {get.isSuccess && " It is being fetched; Jobs shows how far it is."}
      {error && <ErrorNotice what="The model was not added" error={error} />}
    </EmptyState>
  );
}
