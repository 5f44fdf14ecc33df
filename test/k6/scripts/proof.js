// Proofs inside k6: each is a function with a title, and says how it has gone in one line.

function text(value) {
  return (
    JSON.stringify(value, (_, part) => (part === undefined ? "undefined" : part)) ?? "undefined"
  );
}

function canonical(value) {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, canonical(value[key])]),
  );
}

/** The same JSON, and the same own properties. */
export function same(actual, expected) {
  const [a, b] = [text(canonical(actual)), text(canonical(expected))];
  if (a !== b) throw new Error(`expected ${b}, got ${a}`);
}

export function holds(condition, what) {
  if (!condition) throw new Error(what);
}

/** The error that the promise rejects with, which has to have that name. */
export async function rejects(promise, name, fragment = "") {
  let error;
  try {
    const value = await promise;
    error = { name: "nothing", message: text(value) };
  } catch (caught) {
    error = caught;
  }
  holds(
    error.name === name && error.message.includes(fragment),
    `expected ${name} "${fragment}", got ${error.name}: ${error.message}`,
  );
  return error;
}

export async function prove(proofs) {
  for (const [title, proof] of Object.entries(proofs)) {
    try {
      await proof();
      console.log(`ok ${title}`);
    } catch (error) {
      console.log(`FAILED ${title}: ${error.message ?? error}`);
    }
  }
}
