/** The engine as a process of its own: frames to its shell, many windows over one channel, the model host as the shell starts it. */
export { reportActivity } from "./activity.ts";
export { startHostThroughShell } from "./shell-host.ts";
export { connectShell, type ShellLink } from "./shell-link.ts";
