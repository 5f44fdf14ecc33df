// Served probe: a store in memory behind the RESP door, in a process that does nothing else. It tells
// its parent the port and ends when that does. `node build/bench/probes/served-probe.js`

import { openKv } from "anykv";
import { serve } from "anykv/server";

const kv = openKv({ backend: "memory" });
const server = await serve(kv, { resp: { port: 0 } });
process.on("disconnect", () => void kv.close());
const port = server.address.resp?.port;
if (process.send === undefined) console.log(port);
else process.send(port);
