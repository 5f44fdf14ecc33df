/** Writes k6.js into the folder. @throws when something of Node is left. */
export function bundleK6(root: string, outDir: string): Promise<void>;
