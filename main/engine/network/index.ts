/** Every door to the network goes through here: the ledger of calls, normally empty. */
export { createNetworkLedger, type NetworkLedger } from "./network-ledger.ts";
