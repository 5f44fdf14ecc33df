import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

// Tests run on the sources. The longer alias stands first: aliases match by prefix, in order.
export default defineConfig({
  resolve: {
    alias: [
      { find: /^anykv\/server$/, replacement: source("server/index.ts") },
      { find: /^anykv\/testing$/, replacement: source("testing/index.ts") },
      { find: /^anykv$/, replacement: source("index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
