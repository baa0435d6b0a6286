/** The server of the contract and the ports it is reached over. */
export { type ElectronPort, portOfChild, portOfElectron, portOfMessagePort, portOfParent } from "./ports.ts";
export { createRpcServer, type RpcServerOptions } from "./server.ts";
