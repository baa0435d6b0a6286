import { Button } from "@mantine/core";
import { IconHistory, IconPlus } from "@tabler/icons-react";
import { IconButton } from "../../components/IconButton.tsx";
import { ScreenHeader } from "../../components/ScreenHeader.tsx";
import { useEngineQuery } from "../../engine/queries.ts";
import { plural } from "../../lib/format.ts";
import { hrefOf } from "../../lib/routes.ts";
import { useRoute } from "../../lib/use-route.ts";
import { HistoryList } from "./HistoryList.tsx";
import { QuestionForm } from "./QuestionForm.tsx";
import classes from "./Reflect.module.css";
import { useReflectView } from "./reflect-view.ts";
import { ReflectionView } from "./ReflectionView.tsx";

export default function ReflectScreen() {
  const route = useRoute();
  const reflections = useEngineQuery("reflection.list", {});
  const { isHistoryShown } = useReflectView();
  const reflectionId = route.screen === "reflect" ? route.reflectionId : undefined;
  const compare = route.screen === "reflect" ? route.compare : undefined;
  const nReflections = reflections.data?.length ?? 0;
  return (
    <>
      <ScreenHeader title="Reflect" summary={nReflections > 0 && plural(nReflections, "question")}>
        <IconButton
          label="Earlier questions"
          isActive={isHistoryShown}
          onClick={() => useReflectView.setState({ isHistoryShown: !isHistoryShown })}
        >
          <IconHistory size={18} stroke={1.6} />
        </IconButton>
        {reflectionId && (
          <Button
            component="a"
            variant="default"
            leftSection={<IconPlus size={15} aria-hidden />}
            href={hrefOf({ screen: "reflect" })}
          >
            New question
          </Button>
        )}
      </ScreenHeader>
      <div className={classes.columns}>
        {isHistoryShown && <HistoryList reflections={reflections} openId={reflectionId} />}
        {reflectionId ? (
          <ReflectionView key={reflectionId} reflectionId={reflectionId} compare={compare} />
        ) : (
          <QuestionForm />
        )}
      </div>
    </>
  );
}
