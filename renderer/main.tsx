import "@fontsource-variable/inter/index.css";
import "@mantine/core/styles.css";
import "./app/global.css";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import { createQueryCache } from "./app/query-cache.ts";
import { rememberPlace } from "./app/remember-place.ts";
import { connectEngine } from "./engine/connection.ts";
import { invalidateOnEvents } from "./engine/invalidate.ts";
import { collectJobSamples } from "./engine/job-samples.ts";
import { collectLiveText } from "./engine/live-text.ts";
import { chooseTransport } from "./engine/transport.ts";

rememberPlace();
const engine = connectEngine(chooseTransport());
const cache = createQueryCache();
invalidateOnEvents(engine, cache);
collectLiveText(engine);
collectJobSamples(engine);

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(<App engine={engine} cache={cache} />);
