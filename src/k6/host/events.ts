// Stands in the bundle for `node:events`: nothing in k6 warns of many listeners.

export function setMaxListeners(): void {}
