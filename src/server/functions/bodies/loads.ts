// Loads: a restore by a remote client. ../loads.ts says what becomes of it.

import { type FunctionBodies, type StepsRun, steps } from "../body.js";
import type { FunctionCall } from "../function-call.js";
import type { FunctionHost } from "../function-host.js";
import type { Load } from "../loads.js";

/** A step that adds what stands in groups behind the name of the load. */
function adding(
  step: number,
  read: (call: FunctionCall, index: number) => (load: Load) => void,
): StepsRun {
  return (call, { loads }) => {
    // All is read before anything is changed.
    const additions = call.groups(1, step, (index) => read(call, index));
    const load = loads.required(call.text(0));
    for (const add of additions) add(load);
    return 1;
  };
}

const addValue = (call: FunctionCall, index: number) => {
  const [key, value, deadline] = [
    call.key(index),
    call.copiedValue(index + 1),
    call.deadline(index + 2),
  ];
  return (load: Load) => load.addValue(key, value, deadline);
};

const addArray = (call: FunctionCall, index: number) => {
  const [key, source, deadline] = [call.key(index), call.text(index + 1), call.deadline(index + 2)];
  return (load: Load) => load.addArray(key, source, deadline);
};

const addElement = (call: FunctionCall, index: number) => {
  const [source, element] = [call.text(index), call.copiedValue(index + 2)];
  const position = call.position(index + 1);
  return (load: Load) => load.addElement(source, position, element);
};

const addMember = (call: FunctionCall, index: number) => {
  const [bucket, item] = [call.bucket(index), call.item(index + 1)];
  const deadline = call.deadline(index + 2, "inf");
  return (load: Load) => load.addMember(bucket, item, deadline);
};

// load, token that must not be granted again
const commit: StepsRun = async (call, host) => {
  const token = call.count(1);
  const load = host.loads.required(call.text(0));
  load.isCommitting = true;
  try {
    await host.store.replace(load.source(await lastList(host), token, host.env));
  } catch (error) {
    load.isCommitting = false;
    throw error;
  }
  host.loads.end();
  return 1;
};

const lastList = async ({ store }: FunctionHost): Promise<number> =>
  store.direct.read((view) => Number(view.counters.get("list")?.value ?? 0), undefined);

export const loadBodies: FunctionBodies = {
  load_begin: steps((call, { loads }) => {
    loads.begin(call.text(0));
    return 1;
  }),
  load_values: steps(adding(3, addValue)),
  load_arrays: steps(adding(3, addArray)),
  load_elements: steps(adding(3, addElement)),
  // load, id in the source, then positions in order; how many of these are in place
  load_build: steps((call, { loads }) => {
    const positions = call.groups(2, 1, (index) => call.position(index));
    loads.required(call.text(0)).build(call.text(1), positions);
    return positions.length;
  }),
  load_members: steps(adding(3, addMember)),
  load_commit: steps(commit),
  load_abandon: steps((call, { loads }) => {
    loads.abandon(call.text(0));
    return 1;
  }),
};
