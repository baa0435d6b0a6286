export { type ElectronPort, portOfChild, portOfElectron, portOfMessagePort, portOfParent } from "./ports.ts";
export { createRpcServer, type RpcServerOptions } from "./server.ts";
