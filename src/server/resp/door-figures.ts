// Door figures: what the RESP door counts, in the form of metrics.

import type { Figure } from "../figures.js";
import type { Door } from "./door.js";

export function figuresOf({ facts, sessions, table }: Door): readonly Figure[] {
  const { counts } = facts;
  const called = table.entries.filter(({ calls }) => calls > 0);
  const values = new Map(called.map(({ name, calls }) => [name.toLowerCase(), calls]));
  const counter = (name: string, help: string, value: number): Figure => {
    return { name: `anykv_resp_${name}_total`, help, kind: "counter", value };
  };
  const gauge = (name: string, help: string, value: number): Figure => {
    return { name: `anykv_resp_${name}`, help, kind: "gauge", value };
  };
  return [
    {
      ...counter("commands", "Commands that clients have called, by name.", 0),
      value: { label: "command", values },
    },
    counter("connections_accepted", "Connections that were let in.", counts.connections),
    counter("connections_rejected", "Connections beyond `maxClients`.", counts.rejectedConnections),
    counter(
      "connections_cut_off",
      "Connections ended by what they sent or left unread.",
      counts.cutOff,
    ),
    counter("failed_logins", "Names and passwords that were not right.", counts.failedLogins),
    gauge("connections", "Open connections.", sessions.size),
    gauge("blocked_connections", "Connections that wait for elements.", counts.blocked),
  ];
}
