// Loaded into a process and its children with --import: every attempt to reach the network is written down and refused.
import dns from "node:dns";
import { appendFileSync } from "node:fs";
import net from "node:net";

function refuse(what) {
  appendFileSync(process.env.PREFLEXOR_TEST_SOCKET_LOG, `${what} ${new Error().stack}\n`);
  throw Object.assign(new Error(`the test refuses ${what}`), { code: "ECONNREFUSED" });
}

net.Socket.prototype.connect = () => refuse("a connection");
dns.lookup = () => refuse("a name look-up");
dns.promises.lookup = () => refuse("a name look-up");
